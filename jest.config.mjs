/** One configuration for all three kinds of test; the npm scripts choose by file name. See toolchain notes in CONTRIBUTING.md. */
export default {
  rootDir: '.',
  testEnvironment: 'node',
  watchman: false,
  moduleFileExtensions: ['js', 'json', 'ts'],
  // Native ESM stays off (no extensionsToTreatAsEsm): CommonJS add-ons die in require cycles with it.
  moduleNameMapper: { '^#([^/]+)$': '<rootDir>/libs/$1/src/index.ts', '^(\\.{1,2}/.*)\\.js$': '$1' },
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
  testMatch: ['<rootDir>/{apps,libs,bench}/**/*.{spec,int-spec,e2e-spec}.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/data/'],
  testTimeout: 60_000,
  // Two: the machines this is built on have two cores, and the database, the model and the server under test share them.
  maxWorkers: 2,
  collectCoverageFrom: ['libs/*/src/**/*.ts', '!libs/*/src/index.ts'],
};
