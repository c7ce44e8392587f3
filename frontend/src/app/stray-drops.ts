/** A file that is dropped where nothing takes it must not make the browser leave the page for it. */
export function catchStrayDrops(target: EventTarget = window): void {
  const stop = (event: Event) => {
    const { dataTransfer } = event as DragEvent;
    if (event.defaultPrevented || (dataTransfer && !dataTransfer.types.includes("Files"))) return;
    event.preventDefault();
    if (dataTransfer) dataTransfer.dropEffect = "none";
  };
  target.addEventListener("dragover", stop);
  target.addEventListener("drop", stop);
}
