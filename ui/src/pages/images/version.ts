/** Proposals drawn from the name of an image file. */

const ENDINGS = /\.(img|iso|raw|xz|gz|bz2|zst|zip)$/i;

/** The name of the file at the end of a path. */
export const fileName = (path: string) => path.trim().split(/[\\/]/).at(-1) ?? '';

/**
 * The version in a file name: the last thing that looks like one (`2026.11`, `1.4.2`, `2025-11-24`,
 * `v7`), else the whole name without its endings.
 */
export function versionOf(path: string): string {
  let stem = fileName(path);
  while (ENDINGS.test(stem)) stem = stem.replace(ENDINGS, '');
  const found = [
    ...stem.matchAll(/(?<![a-z0-9])v?(\d{4}-\d{2}-\d{2}|\d+(?:\.\d+)+(?:-?(?:rc|beta|alpha)\.?\d*)?)/gi),
  ];
  const plain = [...stem.matchAll(/(?<![a-z0-9])v(\d+)(?![a-z0-9])/gi)];
  return (found.at(-1)?.[1] ?? plain.at(-1)?.[1] ?? stem).slice(0, 64);
}
