/** Tests of the page in a real browser: `npm run test:browser`. What is not drawn has its tests in src. */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { artefacts } from './support/places';

export default defineConfig({
  cacheDir: join(artefacts, 'cache'),
  test: {
    environment: 'node',
    root: import.meta.dirname,
    include: ['*.test.ts'],
    globalSetup: './support/made_up.ts',
    maxWorkers: 2,
    testTimeout: 90_000,
    hookTimeout: 60_000,
  },
});
