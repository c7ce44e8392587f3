/** The title of the browser's tab, its history and its bookmarks; a screen reader says it first. */
export function PageTitle({ children }: { children: string }) {
  return <title>{`${children} · AI Agent Marketplace`}</title>;
}
