/** What a hostname pattern makes, to be shown while it is typed. The rules are the station's. */

const SERIAL = '9D00CE414C1F2A90';
const MAC = '2CCF67001122';

/** Do the names of this pattern come from a pool of numbers? Otherwise the board itself makes them. */
export const isNumbered = (pattern: string) => /\{number(:\d+)?\}/.test(pattern);

/** The name that a pattern would make for a made-up board; `null` while it is no pattern. */
export function example(pattern: string, product: string, venue: string): string | null {
  const made = pattern.trim().replace(/\{(\w+)(?::(\d{1,2}))?\}/g, (whole, word: string, width?: string) => {
    switch (word) {
      case 'product':
        return product.trim().toUpperCase() || 'PRODUCT';
      case 'venue':
        return venue.trim().toUpperCase() || 'VENU';
      case 'number':
        return '7'.padStart(Number(width ?? 1), '0');
      case 'serial':
        return SERIAL.slice(-Number(width ?? 8));
      case 'mac':
        return MAC.slice(-Number(width ?? 6));
      default:
        return whole;
    }
  });
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(made) ? made : null;
}
