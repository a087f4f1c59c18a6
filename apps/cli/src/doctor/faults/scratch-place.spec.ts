import { FAULTS_PREFIX, loadScratchConfig, scratchEnvironment } from './scratch-place.js';

describe('loadScratchConfig', () => {
  const name = `${FAULTS_PREFIX}0a1b2c3d4e5f`;
  const scratch = scratchEnvironment({ name, databaseUrl: `postgres://u@h/${name}`, folder: `/tmp/${FAULTS_PREFIX}x` });

  it('takes a place that was made for a drill', () => {
    expect(loadScratchConfig(scratch).vectorStore.collectionPrefix).toBe(name);
  });

  it.each([
    ['DATABASE_URL', 'postgres://u@h/kindred'],
    ['DATABASE_URL', `postgres://u@h/my_${FAULTS_PREFIX}x`],
    ['DATABASE_URL', ''],
    ['DATA_DIR', './data'],
    ['QDRANT_COLLECTION_PREFIX', 'kindred'],
  ])('refuses %s=%s', (variable, value) => {
    expect(() => loadScratchConfig({ ...scratch, [variable]: value })).toThrow(`${variable} does not lead to a scratch place`);
  });
});
