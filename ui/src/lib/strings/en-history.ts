/** Sentences of the history. */
import { count } from '../words';

export const history = {
  found: (n: number) => count(n, 'deployment'),
  search: 'Name, board, address or error',
  venue: 'Venue',
  anyVenue: 'All',
  product: 'Product',
  anyProduct: 'All',
  result: 'Result',
  anyResult: 'All',
  ended: 'Ended',
  underway: 'Under way',
  batch: 'Batch',
  anyBatch: 'All',
  range: 'Begun',
  ranges: { today: 'Today', week: 'In the last 7 days', month: 'In the last 30 days', all: 'At any time' },
  clear: 'Clear the filter',
  exportCsv: 'Export CSV',
  exportJson: 'Export JSON',
  newer: (n: number) => `Show ${count(n, 'newer one', 'newer ones')}`,
  heads: ['Name', 'Result', 'Board', 'For', 'Batch', 'Begun', 'Took'],
  again: (attempt: number) => `attempt ${attempt}`,
  emptyTitle: 'Nothing has been provisioned yet',
  emptyText: 'Start a batch and power on the boards. Every attempt is recorded here, with its result.',
  startBatch: 'Start a batch',
  nothingTitle: 'No deployment matches',
  nothingText: 'Change the filter, or clear it.',
  figures: 'Figures',
  figuresNote: 'Over everything this station has recorded.',
  lastDay: (n: number, done: number) =>
    n
      ? `${count(n, 'deployment')} in the last 24 hours, ${done} of them done.`
      : 'None in the last 24 hours.',
  stageTimes: 'Time per stage',
  stageHeads: ['Stage', 'Half within', '95 % within', 'Boards'],
  byModel: 'By model',
  byVenue: 'By venue',
  shareHeads: ['', 'Done', 'Failed', 'Success'],
  model: 'Model',
  noFigures: 'Figures appear once a board has been provisioned.',
};
