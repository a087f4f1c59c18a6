import { DomainError } from '#kernel';
import { Logger } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { EmbedderDescriptor } from '../embedder.js';
import { innermostMessage } from '../innermost-message.js';
import { optionalFiles, requiredFiles } from './model-files.js';
import { ModelFolderError } from './model-folder.errors.js';
import { renderSums, SUMS_FILE } from './model-sums.js';

/** A connection over which nothing comes for so long is dead. */
const STALL_MS = 60_000;
/** Which state of the model a file was taken from, in the words of the hub. */
const COMMIT_HEADER = 'x-repo-commit';
const LATEST = 'main';
/** Where a model came from, for people. */
const ORIGIN_FILE = 'origin.json';

/** Downloads models from a hub with the paths of huggingface.co. */
export class HubDownload {
  private readonly logger = new Logger('HubDownload');
  private readonly underWay = new Map<string, Promise<void>>();

  /** @param stallMs default 60,000 */
  constructor(
    private readonly hubUrl: string,
    private readonly stallMs = STALL_MS,
  ) {}

  /**
   * Downloads a model into a folder, whole or not at all, with the checksums of what came; whoever asks for it meanwhile shares that.
   *
   * All files are of one state of the model, where the hub says which. Nothing of a download that was cut is used again.
   *
   * @param model `owner/name`
   * @param folder does not exist yet
   * @throws ModelFolderError when the hub has no such model, or not in that precision
   * @throws DomainError `search.embedder-unavailable` when it may work later
   */
  fetch(model: string, dtype: EmbedderDescriptor['dtype'], folder: string): Promise<void> {
    const known = this.underWay.get(folder);
    if (known !== undefined) return known;
    const download = this.download(model, dtype, folder).finally(() => this.underWay.delete(folder));
    this.underWay.set(folder, download);
    return download;
  }

  private async download(model: string, dtype: EmbedderDescriptor['dtype'], folder: string): Promise<void> {
    this.logger.log(`Downloading the model ${model} (${dtype}) from ${this.hubUrl}`);
    // Beside its place, so that the last step is a rename on one file system.
    const unfinished = `${folder}.part`;
    try {
      await rm(unfinished, { recursive: true, force: true });
      await this.fill(unfinished, model, dtype);
      await rename(unfinished, folder);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      if (error instanceof ModelFolderError) throw error;
      this.logger.warn(`The model ${model} could not be downloaded: ${innermostMessage(error)}`);
      throw new DomainError('search.embedder-unavailable', { detail: `The model ${model} could not be downloaded`, cause: error });
    }
    this.logger.log(`Downloaded the model ${model} (${dtype})`);
  }

  private async fill(folder: string, model: string, dtype: EmbedderDescriptor['dtype']): Promise<void> {
    const sums = new Map<string, string>();
    let commit = LATEST;
    for (const file of [...requiredFiles(dtype), ...optionalFiles(dtype)]) {
      const path = join(folder, file);
      await mkdir(dirname(path), { recursive: true });
      const saved = await this.save(`${this.hubUrl}/${model}/resolve/${commit}/${file}`, path);
      if (saved !== null) {
        sums.set(file, saved.sum);
        if (commit === LATEST) commit = saved.commit ?? LATEST;
      } else if (requiredFiles(dtype).includes(file)) {
        throw new ModelFolderError(`${this.hubUrl}/${model}`, `does not exist, needs a login, or has no ${file} (see EMBEDDING_DTYPE)`);
      }
    }
    await writeFile(join(folder, ORIGIN_FILE), `${JSON.stringify({ hub: this.hubUrl, model, commit }, null, 2)}\n`);
    // Last: a folder without it would be taken for one that somebody put there.
    await writeFile(join(folder, SUMS_FILE), renderSums(sums));
  }

  /** Saves a file and returns the SHA-256 of what came; `null` when the hub does not have it, or does not give it to everybody. */
  private async save(url: string, path: string): Promise<{ readonly sum: string; readonly commit: string | null } | null> {
    const stalled = new AbortController();
    const timer = setTimeout(() => stalled.abort(new Error(`nothing came for ${this.stallMs} ms`)), this.stallMs);
    try {
      const response = await fetch(url, { signal: stalled.signal });
      if (response.status !== 200) await response.body?.cancel();
      if ([401, 403, 404].includes(response.status)) return null;
      if (response.status !== 200 || response.body === null) throw new Error(`the hub answered ${response.status}`);
      const hash = createHash('sha256');
      const parts = response.body as AsyncIterable<Uint8Array>;
      await pipeline(async function* watched() {
        for await (const part of parts) {
          timer.refresh();
          hash.update(part);
          yield part;
        }
      }, createWriteStream(path));
      return { sum: hash.digest('hex'), commit: commitOf(response.headers) };
    } catch (error) {
      stalled.signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function commitOf(headers: Headers): string | null {
  const commit = headers.get(COMMIT_HEADER);
  return commit !== null && /^[0-9a-f]{7,64}$/.test(commit) ? commit : null;
}
