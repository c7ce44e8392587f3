/** Limits that every provider in the catalogue with image input accepts. */
const MAX_IMAGES = 4;
export const MAX_IMAGE_BYTES = 4_000_000;
const TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif"];

export interface Picked {
  images: string[];
  /** Why something was left out, in words; null when nothing was. */
  problem: string | null;
}

/** Files as data URLs, as far as they are images of a size that models take; `already` counts those attached before. */
export async function readImages(files: readonly File[], already: number): Promise<Picked> {
  const images: string[] = [];
  let problem: string | null = null;
  for (const file of files) {
    if (!TYPES.includes(file.type)) problem = `${file.name || "That file"} is not a PNG, JPEG, WebP or GIF image.`;
    else if (file.size > MAX_IMAGE_BYTES)
      problem = `${file.name || "That image"} is over ${MAX_IMAGE_BYTES / 1_000_000} MB.`;
    else if (already + images.length >= MAX_IMAGES) problem = `At most ${MAX_IMAGES} images go into one message.`;
    else images.push(await dataUrl(file));
  }
  return { images, problem };
}

function dataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
