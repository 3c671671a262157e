/** For `ref`: gives the focus to an element when it appears, and only then. */
export function focusOnce(element: HTMLElement | null): void {
  if (element === null || element.dataset.focused !== undefined) return;
  element.dataset.focused = "";
  element.focus();
}
