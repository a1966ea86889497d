/** When a batch is done, in words. */
import type { Outlook } from '../../lib/board/eta';
import { t } from '../../lib/strings/en';

export function outlookWords(outlook: Outlook): string {
  const { outlook: words } = t.bench;
  switch (outlook.kind) {
    case 'left':
      return words.left(outlook.ms);
    case 'boards':
    case 'failed':
      return words[outlook.kind](outlook.n);
    default:
      return words[outlook.kind];
  }
}
