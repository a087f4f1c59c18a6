import { appendFile, cp, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FatalStartupError } from '#kernel';
import { ModelFolder } from './model-folder.js';
import { bundledModelsFolder } from '../bundled-files.js';

const BUNDLED = join(bundledModelsFolder(), 'all-MiniLM-L6-v2');
const TEXTS = { max_tokens: 256, query_prefix: 'q: ', document_prefix: 'd: ' };

describe('ModelFolder', () => {
  let temporary: string;
  let copy: string;

  beforeEach(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'kindred-model-'));
    copy = join(temporary, 'all-MiniLM-L6-v2');
    await cp(BUNDLED, copy, { recursive: true });
  });

  afterEach(async () => rm(temporary, { recursive: true, force: true }));

  it('describes the model that ships with Kindred, whose files are whole', async () => {
    const folder = new ModelFolder(BUNDLED);
    await expect(folder.verify()).resolves.toBeUndefined();
    await expect(folder.describe(TEXTS)).resolves.toEqual({
      provider: 'local',
      model: 'all-MiniLM-L6-v2',
      revision: 'cc84cb5f2ccd',
      dtype: 'q8',
      dimensions: 384,
      pooling: 'mean',
      query_prefix: 'q: ',
      document_prefix: 'd: ',
      max_tokens: 256,
    });
  });

  it('sees one changed byte in the weights, and names the file', async () => {
    const file = join(copy, 'onnx', 'model_quantized.onnx');
    const handle = await open(file, 'r+');
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, 1_000_000);
    await handle.write(Buffer.of(buffer[0]! ^ 1), 0, 1, 1_000_000);
    await handle.close();
    const verified = new ModelFolder(copy).verify();
    await expect(verified).rejects.toThrow(FatalStartupError);
    await expect(verified).rejects.toThrow(file);
    await expect(verified).rejects.toThrow('is damaged');
  });

  it('sees a file that is cut short, grown or missing', async () => {
    const folder = () => new ModelFolder(copy).verify();
    await appendFile(join(copy, 'special_tokens_map.json'), '\n');
    await expect(folder()).rejects.toMatchObject({ path: join(copy, 'special_tokens_map.json') });
    await rm(join(copy, 'special_tokens_map.json'));
    await expect(folder()).rejects.toThrow(`${join(copy, 'special_tokens_map.json')} cannot be read`);
    await writeFile(join(copy, 'tokenizer.json'), '');
    await expect(folder()).rejects.toMatchObject({ path: join(copy, 'tokenizer.json') });
  });

  it('says that a file is missing, or the whole folder', async () => {
    await rm(join(copy, 'config.json'));
    expect(() => new ModelFolder(copy)).toThrow(`${join(copy, 'config.json')} is missing`);
    expect(() => new ModelFolder(join(copy, 'nowhere'))).toThrow(`${join(copy, 'nowhere')} does not exist`);
  });

  it('reads the weights themselves where no list names their checksum', async () => {
    const listed = await new ModelFolder(copy).describe(TEXTS);
    await rm(join(copy, 'SHA256SUMS'));
    const folder = new ModelFolder(copy);
    expect(folder.listedRevision).toBeNull();
    await expect(folder.describe(TEXTS)).resolves.toEqual(listed);
    await expect(folder.verifyRevision(listed.revision)).resolves.toBeUndefined();
    await expect(folder.verifyRevision('000000000000')).rejects.toThrow('has other weights (cc84cb5f2ccd)');
  });

  it('demands that every file it uses is listed, the weights of the wanted precision above all', async () => {
    expect(() => new ModelFolder(copy, 'fp32')).toThrow('does not list onnx/model.onnx');
    const sums = await readFile(join(copy, 'SHA256SUMS'), 'utf8');
    await writeFile(join(copy, 'SHA256SUMS'), sums.replace(/^.* {2}tokenizer\.json\n/m, ''));
    expect(() => new ModelFolder(copy)).toThrow('does not list tokenizer.json');
    await writeFile(join(copy, 'SHA256SUMS'), 'not a sum\n');
    expect(() => new ModelFolder(copy)).toThrow('not in the format of sha256sum');
  });

  it('understands the list as Windows writes it', async () => {
    const sums = await readFile(join(copy, 'SHA256SUMS'), 'utf8');
    await writeFile(join(copy, 'SHA256SUMS'), sums.replaceAll('  ', ' *').replaceAll('\n', '\r\n'));
    await expect(new ModelFolder(copy).verify()).resolves.toBeUndefined();
  });

  it('refuses a configuration that it cannot describe', async () => {
    await expect(new ModelFolder(copy).describe({ ...TEXTS, max_tokens: 513 })).rejects.toThrow(
      'allows at most 512 tokens, but EMBEDDING_MAX_TOKENS is 513',
    );
    await writeFile(join(copy, 'config.json'), '{"hidden_size": "wide"}');
    expect(() => new ModelFolder(copy)).toThrow('names no hidden_size');
    await writeFile(join(copy, 'config.json'), '{');
    expect(() => new ModelFolder(copy)).toThrow('is not valid JSON');
  });
});
