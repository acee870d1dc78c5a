/**
 * What runs against each mutant of the token path: the tests without sockets, processes and landscape, with chance that
 * is the same each time. The simulated tenants and the stories stay out; they would take hours.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: `${import.meta.dirname}/../..`,
    include: ['test/{token,relay,warm}/*.test.ts', 'test/settings/bad-*.test.ts'],
    exclude: ['test/token/{simulated,interoperability}-*.test.ts', '**/BROKEN-*'],
    // On a busy machine the drawn orders of calls take longer than vitest's default of 5 s.
    testTimeout: 60_000,
    setupFiles: ['test/token/fixed-seed.ts', 'test/token/loaded-ahead.ts'],
  },
});
