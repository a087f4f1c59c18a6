import { v5 as uuidV5 } from 'uuid';
import { findSections, HEADING_MAX_LENGTH, type Section } from './sections.js';
import { packUnits, tokensOf, type Unit } from './pack-units.js';
import { sentencesIn } from './sentences.js';
import { countSeparators, type CountedSpan } from './separators.js';
import { splitLong } from './split-long.js';
import type { TextSpan } from './text-span.js';

export interface ChunkableDocument {
  /** A UUID: the ids of the chunks are made from it. */
  readonly id: string;
  readonly title: string;
  readonly content: string;
  /** Decides how sentences are found; `null` = not known. */
  readonly language: string | null;
  /** Longest chunk, tokens, all included. */
  readonly chunkTokens: number;
  readonly overlapTokens: number;
}

export interface DerivedChunk {
  /** uuid v5 of the document, the section and the place in it: the same place has the same id again. */
  readonly id: string;
  /** From 0, through the whole document. */
  readonly ordinal: number;
  /** `content.slice(start, end)` is `text`. */
  readonly start: number;
  readonly end: number;
  /** Title and headings above. */
  readonly context: string;
  readonly text: string;
}

/** What chunking needs to know of the model. */
export interface TokenLimits {
  /** Tokens that the model reads. */
  readonly maxTokens: number;
  /** As {@link Embedder.countTokens}. */
  countTokens(texts: readonly string[]): Promise<number[]>;
}

/** Two parts that are counted alone can be a token or two longer together, with some tokenizers. */
const SPARE_TOKENS = 4;
/** A title that leaves no room for the text would be all that the model reads. */
const CONTEXT_SHARE = 0.5;
/** A paragraph of a third of a chunk is worth a vector of its own; shorter ones share one. */
const ALONE_SHARE = 1 / 3;
/** Short paragraphs and sentences begin a new chunk so often, by their own words: an edit moves the borders of about so many units behind it. */
const PARAGRAPHS_PER_BORDER = 4;
const SENTENCES_PER_BORDER = 4;
const EMPTY_SECTION: Section = { headings: [], key: '\n0', paragraphs: [{ start: 0, end: 0 }] };

/** A section on its way: what is known of its lengths. */
interface SectionPlan {
  readonly document: ChunkableDocument;
  readonly section: Section;
  context: string;
  contextTokens: number;
  /** Tokens that are left for the text. */
  budget: number;
  paragraphs: Unit[];
}

/**
 * Cuts documents into chunks that the model reads whole: at headings, then at paragraphs, then at sentences, and only what is longer still between words.
 *
 * A section that fits is one chunk. The same document always gives the same chunks, whatever it was before. A document without content has one chunk, so that
 * its title is found.
 *
 * Tokens are counted for all documents together, in a few calls.
 *
 * @returns the chunks of each document, in the order of `documents`
 * @throws DomainError as {@link Embedder.countTokens}
 */
export async function chunkDocuments(documents: readonly ChunkableDocument[], limits: TokenLimits): Promise<DerivedChunk[][]> {
  const plans = documents.map((document) => {
    const found = findSections(document.content);
    return (found.length === 0 ? [EMPTY_SECTION] : found).map((section) => planOf(document, section));
  });
  const all = plans.flat();
  await measure(all, limits);
  const sentences = await unitsOfLongParagraphs(all, limits);
  return plans.map((sections) => chunksOf(sections, sentences));
}

function planOf(document: ChunkableDocument, section: Section): SectionPlan {
  return { document, section, context: contextOf(document.title, section.headings), contextTokens: 0, budget: 0, paragraphs: [] };
}

/** Title and headings in lines of their own; a heading that repeats the title says nothing new. */
function contextOf(title: string, headings: readonly string[]): string {
  // SQL can write a title of any length, and every section has it.
  const lines = [title.slice(0, HEADING_MAX_LENGTH).toWellFormed(), ...headings]
    .map((line) => line.replace(/\s+/gu, ' ').trim())
    .filter((line) => line !== '');
  return lines.filter((line, index) => index === 0 || line !== lines[index - 1]).join('\n');
}

/** Counts contexts and paragraphs, and says how much of each section fits into a chunk. */
async function measure(plans: readonly SectionPlan[], limits: TokenLimits): Promise<void> {
  const [fixedTokens, ...counts] = await limits.countTokens(['', ...plans.flatMap((plan) => [plan.context, ...textsOf(plan)])]);
  let next = 0;
  const ownTokens = () => counts[next++]! - fixedTokens!;
  const counted = plans.map((plan) => {
    plan.contextTokens = ownTokens();
    return { content: plan.document.content, spans: plan.section.paragraphs.map((span) => ({ ...span, tokens: ownTokens() })) };
  });
  const paragraphs = await countSeparators(counted, (texts) => limits.countTokens(texts));
  for (const [index, plan] of plans.entries()) {
    plan.paragraphs = paragraphs[index]!;
    const room = Math.min(plan.document.chunkTokens, limits.maxTokens) - fixedTokens! - SPARE_TOKENS;
    if (plan.contextTokens > room * CONTEXT_SHARE) await shortenContext(plan, Math.floor(room * CONTEXT_SHARE), fixedTokens!, limits);
    plan.budget = Math.max(1, room - plan.contextTokens);
  }
}

async function shortenContext(plan: SectionPlan, maxTokens: number, fixedTokens: number, limits: TokenLimits): Promise<void> {
  while (plan.contextTokens > maxTokens && plan.context !== '') {
    const length = Math.floor((plan.context.length * maxTokens) / plan.contextTokens);
    // toWellFormed: the cut may have parted a pair of surrogates.
    plan.context = plan.context
      .slice(0, Math.min(length, plan.context.length - 1))
      .toWellFormed()
      .trim();
    plan.contextTokens = (await limits.countTokens([plan.context]))[0]! - fixedTokens;
  }
}

function textsOf({ document, section }: SectionPlan): string[] {
  return section.paragraphs.map(({ start, end }) => document.content.slice(start, end));
}

/** A part of a paragraph that is being cut until it fits. */
interface Piece extends TextSpan {
  readonly plan: SectionPlan;
  readonly paragraph: Unit;
}

/** Sentences of the paragraphs that fit into no chunk, themselves cut where need be. */
async function unitsOfLongParagraphs(plans: readonly SectionPlan[], limits: TokenLimits): Promise<Map<Unit, Unit[]>> {
  const found = new Map<Unit, { readonly content: string; readonly spans: CountedSpan[] }>();
  let open: Piece[] = [];
  for (const plan of plans) {
    const { content, language } = plan.document;
    for (const paragraph of plan.paragraphs.filter(({ tokens }) => tokens > plan.budget)) {
      found.set(paragraph, { content, spans: [] });
      for (const span of sentencesIn(content, paragraph, language)) open.push({ ...span, plan, paragraph });
    }
  }
  while (open.length > 0) {
    const texts = open.map(({ plan, start, end }) => plan.document.content.slice(start, end));
    const [fixedTokens, ...counts] = await limits.countTokens(['', ...texts]);
    const tooLong: Piece[] = [];
    open.forEach((piece, index) => {
      const tokens = counts[index]! - fixedTokens!;
      const { plan, paragraph, start, end } = piece;
      if (tokens <= plan.budget || end - start <= 1) found.get(paragraph)!.spans.push({ start, end, tokens });
      else for (const span of smallerThan(piece, tokens)) tooLong.push({ ...span, plan, paragraph });
    });
    open = tooLong;
  }
  // Pieces that had to be cut again came later.
  for (const { spans } of found.values()) spans.sort((a, b) => a.start - b.start);
  const units = await countSeparators([...found.values()], (texts) => limits.countTokens(texts));
  return new Map([...found.keys()].map((paragraph, index) => [paragraph, units[index]!]));
}

function smallerThan({ plan, start, end }: Piece, tokens: number): TextSpan[] {
  const { content } = plan.document;
  const spans = splitLong(content, { start, end }, plan.budget, (end - start) / tokens);
  // Half of it at most, so that the cutting ends whatever the tokenizer does.
  return spans.length > 1 ? spans : splitLong(content, { start, end }, Math.ceil((end - start) / 2), 1);
}

function chunksOf(plans: readonly SectionPlan[], sentences: ReadonlyMap<Unit, readonly Unit[]>): DerivedChunk[] {
  const chunks: DerivedChunk[] = [];
  for (const plan of plans) {
    const { document, section, context } = plan;
    const namespace = bytesOf(document.id);
    spansOf(plan, sentences).forEach(({ start, end }, place) => {
      const id = uuidV5(`${section.key}\n${place}`, namespace);
      chunks.push({ id, ordinal: chunks.length, start, end, context, text: document.content.slice(start, end) });
    });
  }
  return chunks;
}

/** As text, uuid v5 takes none of another version than those of RFC 9562, such as `md5('x')::uuid`. */
function bytesOf(id: string): Uint8Array {
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}

function spansOf(plan: SectionPlan, sentences: ReadonlyMap<Unit, readonly Unit[]>): TextSpan[] {
  const { document, paragraphs, budget } = plan;
  if (tokensOf(paragraphs) <= budget) return [{ start: paragraphs[0]!.start, end: paragraphs.at(-1)!.end }];
  const packed: TextSpan[][] = [];
  let short: Unit[] = [];
  const packShort = () => {
    const options = { maxTokens: budget, overlapTokens: 0, unitsPerBorder: PARAGRAPHS_PER_BORDER, aloneTokens: budget * ALONE_SHARE };
    packed.push(packUnits(document.content, short, options));
    short = [];
  };
  for (const paragraph of paragraphs) {
    const parts = sentences.get(paragraph);
    if (parts === undefined) short.push(paragraph);
    else {
      packShort();
      const options = { maxTokens: budget, overlapTokens: document.overlapTokens, unitsPerBorder: SENTENCES_PER_BORDER };
      packed.push(packUnits(document.content, parts, options));
    }
  }
  packShort();
  return packed.flat();
}
