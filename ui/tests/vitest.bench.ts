/** Figures of the page in a real browser: `npm run bench`. One after the other, for they share the machine. */
import tests from './vitest.config';

export default {
  ...tests,
  test: { ...tests.test, include: ['bench/*.test.ts'], fileParallelism: false },
};
