/** Figures of the page in a real browser: `npm run bench`. One after the other, for they share the machine. */
import { mergeConfig } from 'vitest/config';
import tests from './vitest.config';

export default mergeConfig(tests, {
  test: { include: ['bench/*.test.ts'], exclude: [], fileParallelism: false },
});
