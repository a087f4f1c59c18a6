import type { ModelFiles } from './model-files.js';

/** A model that is downloaded when it is first needed. */
export class HubModel implements ModelFiles {
  readonly onnxFile: string;
  readonly tokenizerFile: string;
  readonly tokenizerConfigFile: string;
  private ready: Promise<void> | null = null;

  /** @param bring downloads and checks the files; is asked again when it has failed */
  constructor(
    files: Omit<ModelFiles, 'verify'>,
    private readonly bring: () => Promise<void>,
  ) {
    ({ onnxFile: this.onnxFile, tokenizerFile: this.tokenizerFile, tokenizerConfigFile: this.tokenizerConfigFile } = files);
  }

  verify(): Promise<void> {
    if (this.ready !== null) return this.ready;
    const bringing = this.bring();
    this.ready = bringing;
    bringing.catch(() => (this.ready = null));
    return bringing;
  }
}
