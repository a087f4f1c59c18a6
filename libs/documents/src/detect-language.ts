/** Words that nearly every sentence of the language has, and the other one does not. */
const FREQUENT_WORDS = {
  de: 'der das den dem des ein eine einen und oder nicht ist sind wird werden wie welche welches wenn mit für auf von zu im bei auch sich kann noch nach über aus wir ich man einer'.split(
    ' ',
  ),
  en: 'the of and or not is are be with for on to how what which when a an that this it as by can do does from my you we should at there'.split(
    ' ',
  ),
} as const;
type DetectedLanguage = keyof typeof FREQUENT_WORDS;

/** Where a text begins says enough, and a book costs no more than a page. */
const WORDS_READ = 200;
/** A name or a single borrowed word must not decide. */
const LEAD_MINIMUM = 2;

const LANGUAGE_OF = new Map<string, DetectedLanguage>(
  (Object.keys(FREQUENT_WORDS) as DetectedLanguage[]).flatMap((language) =>
    FREQUENT_WORDS[language].map((word) => [word, language] as const),
  ),
);

/** Says whether a text is German or English, by its most frequent words; `null` = neither clearly, or another language. */
export function detectLanguage(text: string): DetectedLanguage | null {
  const counts = { de: 0, en: 0 };
  for (const word of firstWords(text)) {
    const language = LANGUAGE_OF.get(word);
    if (language !== undefined) counts[language]++;
  }
  const lead = counts.de - counts.en;
  if (Math.abs(lead) < LEAD_MINIMUM) return null;
  return lead > 0 ? 'de' : 'en';
}

function* firstWords(text: string): Generator<string> {
  let count = 0;
  for (const [word] of text.matchAll(/\p{L}+/gu)) {
    yield word.toLowerCase();
    if (++count === WORDS_READ) return;
  }
}
