import { GERMAN_AND_ENGLISH, type KeywordTable } from '#search';

/** Where the words of projects are: name, craft terms and description, each taken apart in the language of the row. */
export const PROJECT_KEYWORDS: KeywordTable = { table: 'projects', column: 'search_text', configurations: GERMAN_AND_ENGLISH };
