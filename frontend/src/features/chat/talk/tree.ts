/** Messages form a tree: an edit or a regeneration is one more child of the same parent; `chosen` says which child is shown. */
export interface TreeNode {
  id: string;
  parentId: string | null;
}

export interface Tree<T extends TreeNode> {
  nodes: ReadonlyMap<string, T>;
  children: ReadonlyMap<string | null, readonly string[]>;
  chosen: ReadonlyMap<string | null, string>;
}

export interface Siblings {
  ids: readonly string[];
  index: number;
}

export function emptyTree<T extends TreeNode>(): Tree<T> {
  return { nodes: new Map(), children: new Map(), chosen: new Map() };
}

/** A tree of nodes in order of time, showing the path to the newest; a node whose parent is unknown becomes a root. */
export function buildTree<T extends TreeNode>(list: readonly T[]): Tree<T> {
  const nodes = new Map(list.map((node) => [node.id, node]));
  const children = new Map<string | null, string[]>();
  for (const node of nodes.values()) {
    const parent = node.parentId !== null && nodes.has(node.parentId) ? node.parentId : null;
    if (parent !== node.parentId) nodes.set(node.id, { ...node, parentId: parent });
    children.set(parent, [...(children.get(parent) ?? []), node.id]);
  }
  const tree = { nodes, children, chosen: new Map<string | null, string>() };
  const newest = list.at(-1);
  return newest ? choose(tree, newest.id) : tree;
}

/** Adds a node below its parent and shows it. */
export function addNode<T extends TreeNode>(tree: Tree<T>, node: T): Tree<T> {
  const nodes = new Map(tree.nodes).set(node.id, node);
  const below = tree.children.get(node.parentId) ?? [];
  const children = new Map(tree.children).set(node.parentId, [...below, node.id]);
  return choose({ ...tree, nodes, children }, node.id);
}

export function updateNode<T extends TreeNode>(tree: Tree<T>, id: string, patch: Partial<Omit<T, keyof TreeNode>>): Tree<T> {
  const node = tree.nodes.get(id);
  return node ? { ...tree, nodes: new Map(tree.nodes).set(id, { ...node, ...patch }) } : tree;
}

/** Gives a node the id that the server chose, keeping its place and its children. */
export function renameNode<T extends TreeNode>(tree: Tree<T>, from: string, to: string): Tree<T> {
  const node = tree.nodes.get(from);
  if (!node || from === to || tree.nodes.has(to)) return tree;
  const swap = (id: string) => (id === from ? to : id);
  const nodes = new Map<string, T>();
  for (const [id, each] of tree.nodes) {
    const parentId = each.parentId === from ? to : each.parentId;
    nodes.set(swap(id), parentId === each.parentId && id !== from ? each : { ...each, id: swap(id), parentId });
  }
  const children = new Map([...tree.children].map(([parent, ids]) => [parent === from ? to : parent, ids.map(swap)]));
  const chosen = new Map([...tree.chosen].map(([parent, id]) => [parent === from ? to : parent, swap(id)]));
  return { nodes, children, chosen };
}

/** Removes a node and everything below it; its newest sibling, if any, is shown instead. */
export function removeNode<T extends TreeNode>(tree: Tree<T>, id: string): Tree<T> {
  const node = tree.nodes.get(id);
  if (!node) return tree;
  const doomed = [id];
  for (const each of doomed) doomed.push(...(tree.children.get(each) ?? []));
  const nodes = new Map(tree.nodes);
  const children = new Map(tree.children);
  const chosen = new Map(tree.chosen);
  for (const each of doomed) {
    nodes.delete(each);
    children.delete(each);
    chosen.delete(each);
  }
  children.set(
    node.parentId,
    (tree.children.get(node.parentId) ?? []).filter((each) => each !== id),
  );
  if (chosen.get(node.parentId) === id) chosen.delete(node.parentId);
  return { nodes, children, chosen };
}

/** Shows the path that leads to `id`, and below it whatever was shown there before. */
export function choose<T extends TreeNode>(tree: Tree<T>, id: string): Tree<T> {
  const chosen = new Map(tree.chosen);
  for (let node = tree.nodes.get(id); node; node = node.parentId === null ? undefined : tree.nodes.get(node.parentId)) {
    chosen.set(node.parentId, node.id);
  }
  return { ...tree, chosen };
}

/** The messages shown, from the root to a leaf; where nothing was chosen, the newest child. */
export function activePath<T extends TreeNode>(tree: Tree<T>): T[] {
  const path: T[] = [];
  let parent: string | null = null;
  for (;;) {
    const id: string | undefined = tree.chosen.get(parent) ?? tree.children.get(parent)?.at(-1);
    const node: T | undefined = id === undefined ? undefined : tree.nodes.get(id);
    if (!node) return path;
    path.push(node);
    parent = node.id;
  }
}

/** The messages from the root down to and with `id`. */
export function pathTo<T extends TreeNode>(tree: Tree<T>, id: string | null): T[] {
  const path: T[] = [];
  for (let node = id === null ? undefined : tree.nodes.get(id); node; ) {
    path.unshift(node);
    node = node.parentId === null ? undefined : tree.nodes.get(node.parentId);
  }
  return path;
}

/** A message and its alternatives, for the ‹2/3› switcher. */
export function siblings<T extends TreeNode>(tree: Tree<T>, id: string): Siblings {
  const node = tree.nodes.get(id);
  const ids = node ? (tree.children.get(node.parentId) ?? []) : [];
  return { ids, index: ids.indexOf(id) };
}
