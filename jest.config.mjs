/**
 * Three projects: `unit` (*.spec.ts) starts nothing; `integration` (*.int-spec.ts, *.e2e-spec.ts) has a PostgreSQL server, which starts when the first test asks for it;
 * `faults` (*.fault-spec.ts) kills, cuts and overloads: `npm run test:faults` runs it. `--selectProjects unit` runs one of them; path patterns work as usual.
 */
const shared = {
  rootDir: '.',
  testEnvironment: 'node',
  moduleFileExtensions: ['js', 'json', 'ts'],
  // Native ESM stays off (no extensionsToTreatAsEsm): CommonJS add-ons die in require cycles with it.
  // `#platform` is a name that packages of OpenTelemetry use inside themselves.
  moduleNameMapper: { '^#(?!platform$)([^/]+)$': '<rootDir>/libs/$1/src/index.ts', '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        module: { ignoreDynamic: true },
        jsc: {
          target: 'es2023',
          keepClassNames: true,
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/data/'],
};

export default {
  rootDir: '.',
  watchman: false,
  testTimeout: 60_000,
  // Two: the machines this is built on have two cores, and the database, the model and the server under test share them.
  maxWorkers: 2,
  // Of what ships: doubles and test servers would flatter the figure. Code that runs in worker threads is executed from dist and not counted.
  collectCoverageFrom: ['libs/*/src/**/*.ts', '!libs/testing/**', '!libs/*/src/index.ts', '!**/*.{spec,int-spec,fault-spec}.ts'],
  coverageThreshold: { global: { lines: 85 } },
  coverageReporters: ['json-summary', 'text-summary'],
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/{apps,libs,bench,eval}/**/*.spec.ts'] },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/{apps,libs,bench,eval}/**/*.{int-spec,e2e-spec}.ts'],
      globalSetup: '<rootDir>/libs/testing/jest/database-setup.mjs',
      globalTeardown: '<rootDir>/libs/testing/jest/database-teardown.mjs',
    },
    {
      ...shared,
      displayName: 'faults',
      testMatch: ['<rootDir>/{apps,libs,bench,eval}/**/*.fault-spec.ts'],
      globalSetup: '<rootDir>/libs/testing/jest/database-setup.mjs',
      globalTeardown: '<rootDir>/libs/testing/jest/database-teardown.mjs',
    },
  ],
};
