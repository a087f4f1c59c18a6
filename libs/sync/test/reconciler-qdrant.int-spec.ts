import { Logger } from '@nestjs/common';
import { QdrantDouble } from '#testing';
import { QdrantVectorStore, type PointPayload, type StoredPoint } from '#vector-store';
import { describeCounts } from './proof-fixture.js';
import { ScaleFixture } from './scale-fixture.js';

const ROWS = 700;

/** Over the wire: slices, ids that are numbers, vectors in short decimals, and fields that come back as JSON. */
describe.each(['1.19.0', '1.18.3'])('Reconciler on a double of Qdrant %s', (version) => {
  const double = new QdrantDouble({ version });
  let fixture: ScaleFixture;

  beforeAll(async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const store = new QdrantVectorStore({ url: await double.start(), apiKey: null, searchTimeoutMs: 10_000, writeTimeoutMs: 60_000 });
    fixture = await ScaleFixture.create(store, ROWS);
  });
  afterAll(async () => {
    await fixture.close();
    await double.stop();
  });

  const reconcile = () => fixture.reconciler.run(fixture.generation, { sampleSize: ROWS });

  it('certifies what agrees, in slices where the server has them', async () => {
    double.requests.length = 0;
    const { report } = await reconcile();
    expect(report).toMatchObject({
      decision: 'clean',
      rows: ROWS,
      points: ROWS,
      verified: ROWS,
      sampled_vectors: ROWS,
      store: { source: 'qdrant', version },
    });
    const sliced = double.requests.filter(({ line, body }) => line.includes('/points/scroll') && JSON.stringify(body).includes('"slice"'));
    expect(sliced.length > 0).toBe(version === '1.19.0');
  });

  it('finds, heals and leaves alone', async () => {
    const { collection } = fixture.generation;
    const ids = await fixture.source.listIds(null, ROWS, fixture.database.unitOfWork);
    const [lost, altered] = [ids.slice(0, 20), ids.slice(20, 40)];
    await fixture.remove(lost);
    const points = (await fixture.store.retrieve(collection, altered, { hasVectors: true })) as (StoredPoint & { vector: Float32Array })[];
    await fixture.overwrite(points.map((point) => ({ ...point, payload: { ...point.payload, region: 'elsewhere' } as PointPayload })));
    const foreign = await fetch(`${double.url}/collections/${collection}/points?wait=true`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ points: [7, 3].map((id) => ({ id, vector: { text: [...points[0]!.vector] } })) }),
    });
    expect(foreign.status).toBe(200);
    const certificate = await reconcile();
    expect(certificate.report).toMatchObject({
      decision: 'differs',
      repaired: 40,
      differences: { foreign: { examples: expect.arrayContaining(['3', '7']) } },
    });
    expect(describeCounts(certificate)).toEqual({ missing: 20, stale: 20, orphan: 0, foreign: 2, wrong_model: 0, vector: 0 });
    await fixture.drain();
    await expect(reconcile()).resolves.toMatchObject({ report: { verified: ROWS, differences: { foreign: { count: 2 } } } });
    await expect(fixture.quickCheck.run(fixture.generation)).resolves.toMatchObject({
      decision: 'differs',
      unbucketed_points: 2,
      is_epoch_advanced: true,
    });
    expect(fixture.embedder.calls.documents).toBe(0);
  });
});
