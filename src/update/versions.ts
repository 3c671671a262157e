/** The order of versions, as `sort -V` has it, by which the health gate and RAUC's handler go. */

/** Negative when `a` is older than `b`, 0 when they are the same. */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order =
      i % 2 === 0 ? compareText(left[i] ?? "", right[i] ?? "") : compareNumbers(left[i] ?? "", right[i] ?? "");
    if (order !== 0) return order;
  }
  return a < b ? -1 : 1;
}

/** Text and digits in turn, beginning with text. */
function partsOf(version: string): string[] {
  return version.split(/(\d+)/);
}

/** A tilde comes before the end, the end before letters, and letters before all else. */
function compareText(a: string, b: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = rank(a.charAt(i)) - rank(b.charAt(i));
    if (order !== 0) return order;
  }
  return 0;
}

function rank(character: string): number {
  if (character === "~") return -1;
  if (character === "") return 0;
  return /[a-z]/i.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
}

function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
