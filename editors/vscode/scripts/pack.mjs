// Writes the .vsix, which is a zip with two XML files: no packaging tool is needed, and the bytes are the same each time.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32, deflateRawSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const repository = join(root, "../..");
const MOST = { host: 100_000, vsix: 1_000_000 };
const { scripts: _scripts, private: _private, ...manifest } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const xml = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const contentTypes = `<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">${[
  ["json", "application/json"],
  ["vsixmanifest", "text/xml"],
  ["cjs", "application/javascript"],
  ["js", "application/javascript"],
  ["css", "text/css"],
  ["md", "text/markdown"],
  ["txt", "text/plain"],
  ["svg", "image/svg+xml"],
  ["png", "image/png"],
]
  .map(([extension, type]) => `<Default Extension=".${extension}" ContentType="${type}"/>`)
  .join("")}</Types>
`;

const vsixManifest = `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011" xmlns:d="http://schemas.microsoft.com/developer/vsx-schema-design/2011">
  <Metadata>
    <Identity Language="en-US" Id="${xml(manifest.name)}" Version="${xml(manifest.version)}" Publisher="${xml(manifest.publisher)}"/>
    <DisplayName>${xml(manifest.displayName)}</DisplayName>
    <Description xml:space="preserve">${xml(manifest.description)}</Description>
    <Tags>${xml(manifest.keywords.join(","))}</Tags>
    <Categories>${xml(manifest.categories.join(","))}</Categories>
    <GalleryFlags>Public</GalleryFlags>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="${xml(manifest.engines.vscode)}"/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionDependencies" Value=""/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionPack" Value=""/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="workspace"/>
    </Properties>
    <License>extension/LICENSE.txt</License>
    <Icon>extension/${xml(manifest.icon)}</Icon>
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE.txt" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Icons.Default" Path="extension/${xml(manifest.icon)}" Addressable="true"/>
  </Assets>
</PackageManifest>
`;

/** [name, bytes] of every file of a folder, in order. */
function filesOf(folder, below) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".vsix"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [`${below}/${relative(folder, path).split(sep).join("/")}`, readFileSync(path)]);
}

/** A zip of [name, bytes]: deflated, with 1980's first day as everybody's date. */
function zip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const [name, content] of files) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes, { level: 9 });
    const label = Buffer.from(name, "utf8");
    const head = Buffer.alloc(26);
    // version 2.0, UTF-8 names, deflate, time 0, date 1980-01-01
    for (const [at, value] of [20, 0x0800, 8, 0, 0x21].entries()) head.writeUInt16LE(value, at * 2);
    head.writeUInt32LE(crc32(bytes), 10);
    head.writeUInt32LE(packed.length, 14);
    head.writeUInt32LE(bytes.length, 18);
    head.writeUInt16LE(label.length, 22);
    parts.push(Buffer.from("PK\x03\x04", "latin1"), head, label, packed);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from("PK\x01\x02\x14\x00", "latin1"), head, rest, label);
    offset += 30 + label.length + packed.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, listed, Buffer.from("PK\x05\x06", "latin1"), end]);
}

const vsix = zip([
  ["[Content_Types].xml", contentTypes],
  ["extension.vsixmanifest", vsixManifest],
  ["extension/package.json", `${JSON.stringify(manifest, null, 2)}\n`],
  ["extension/README.md", readFileSync(join(root, "README.md"))],
  ["extension/LICENSE.txt", readFileSync(join(repository, "LICENSE"))],
  ...filesOf(join(root, "media"), "extension/media"),
  ...filesOf(join(root, "dist"), "extension/dist"),
]);
const host = statSync(join(root, "dist/extension.cjs")).size;
for (const [what, size, most] of [
  ["extension host", host, MOST.host],
  ["vsix", vsix.length, MOST.vsix],
]) {
  if (size > most) throw new Error(`${what}: ${size} bytes, more than ${most}`);
}
const served = join(repository, "frontend/dist/editors/vscode");
rmSync(served, { recursive: true, force: true });
mkdirSync(served, { recursive: true });
writeFileSync(join(served, "extension.vsix"), vsix);
writeFileSync(
  join(served, "version.json"),
  `${JSON.stringify({ id: `${manifest.publisher}.${manifest.name}`, version: manifest.version, engine: manifest.engines.vscode })}\n`,
);
process.stdout.write(`extension host ${(host / 1000).toFixed(1)} kB, vsix ${(vsix.length / 1000).toFixed(1)} kB\n`);
