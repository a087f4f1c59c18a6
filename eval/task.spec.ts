import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTask } from './task.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const DOCUMENTS = { queries: join(ROOT, 'eval/documents/queries.jsonl'), qrels: join(ROOT, 'eval/documents/qrels.jsonl') };

describe('readTask', () => {
  it.each(['projects', 'documents'] as const)('has a labelled set and rows for %s', (set) => {
    const { labelled, corpus } = readTask(ROOT, set, {});
    expect(labelled.queries.length).toBeGreaterThan(60);
    expect(corpus!.rows.length).toBeGreaterThan(60);
  });

  it('refuses judgements of documents that are not among the rows', () => {
    expect(() => readTask(ROOT, 'projects', { own: DOCUMENTS })).toThrow(
      /qrels\.jsonl judges FAQ-\d+, which is not among the rows of .*projects\.json/,
    );
  });

  it('cannot know the rows of a service that runs elsewhere', () => {
    expect(readTask(ROOT, 'projects', { own: DOCUMENTS, url: 'http://localhost:3000' }).corpus).toBeUndefined();
  });
});
