import { detectLanguage } from '#documents';

/** The language that a question is answered in; a few words tell it by their umlauts. */
export function languageOf(question: string): 'de' | 'en' {
  return detectLanguage(question) ?? (/[äöüß]/i.test(question) ? 'de' : 'en');
}
