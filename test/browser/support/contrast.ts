/** Finds text that is hard to read. */
import type { Page } from "playwright-core";

/** Texts of the page with less contrast than the 4.5:1 of WCAG 2.2 (1.4.3, level AA), each with its ratio. */
export async function lowContrastTexts(page: Page): Promise<string[]> {
  // The TypeScript loader names functions by this helper, which the page does not have.
  await page.evaluate("globalThis.__name = (value) => value");
  return await page.evaluate(inPage);
}

function inPage(): string[] {
  const parse = (color: string) => {
    const [r = 0, g = 0, b = 0, a = 1] = (color.match(/[\d.]+/g) ?? []).map(Number);
    return { rgb: [r, g, b], a };
  };
  const luminance = (rgb: number[]) => {
    const [r = 0, g = 0, b = 0] = rgb.map((c) => (c <= 10.3 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element: Element | null): number[] => {
    if (element === null) return [255, 255, 255];
    const { rgb, a } = parse(getComputedStyle(element).backgroundColor);
    return a === 1 ? rgb : ground(element.parentElement);
  };
  const poor: string[] = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes]
      .filter((node) => node.nodeType === Node.TEXT_NODE)
      .map((node) => node.nodeValue);
    if (
      text.join("").trim() === "" ||
      element.closest(".unseen, dialog:not([open]), details:not([open]) > :not(summary)")
    )
      continue;
    const [light = 0, dark = 0] = [
      luminance(parse(getComputedStyle(element).color).rgb),
      luminance(ground(element)),
    ].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${text.join("")}`);
  }
  return poor;
}
