import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';

export interface TokenizerFiles {
  readonly tokenizerFile: string;
  readonly tokenizerConfigFile: string;
}

/** The part of the vendor's tokenizer that is used here. */
interface VendorTokenizer {
  encode(text: string): { readonly ids: readonly number[] };
}

// The package's type declarations import each other without file extensions, which nodenext cannot resolve; this is the type they describe.
const VendorTokenizer = Tokenizer as unknown as new (tokenizer: object, config: object) => VendorTokenizer;

/** Splits texts into the tokens of one model, in the calling thread, which it blocks: about 1.3 million characters a second. */
export class TextTokenizer {
  private constructor(private readonly vendor: VendorTokenizer) {}

  static async load({ tokenizerFile, tokenizerConfigFile }: TokenizerFiles): Promise<TextTokenizer> {
    const [tokenizer, config] = await Promise.all([readJson(tokenizerFile), readJson(tokenizerConfigFile)]);
    return new TextTokenizer(new VendorTokenizer(tokenizer, config));
  }

  /** The ids of the text's tokens with the special ones around them, not cut. */
  idsOf(text: string): readonly number[] {
    return this.vendor.encode(text).ids;
  }
}

async function readJson(file: string): Promise<object> {
  return JSON.parse(await readFile(file, 'utf8')) as object;
}
