/** Shorter words are articles, prepositions and abbreviations in both languages. */
const SHORTEST_WORD = 4;
/** Words that agree in as many letters count as forms of one word: a plain stemmer that errs on the side of "shared". */
const STEM_LETTERS = 5;

const STOP_WORDS = new Set(
  (
    'about above across after again also among around because been before being below between both cannot could does doing down during each every from ' +
    'further have having here into itself just more most much must only other over same shall should some such than that their them then there these ' +
    'they this those through under until upon very what when where which while whom whose will with without would your yours anybody anything nobody ' +
    'nothing somebody someone something somewhere ' +
    'aber alle allem allen aller alles also andere anderen anderer auch beim bevor dabei dadurch dafür dagegen daher damit danach dann daran darauf ' +
    'daraus darf darin darum dass davon davor dazu dein deine denn deren deshalb dessen desto dich diese diesem diesen dieser dieses doch dort durch ' +
    'eben eine einem einen einer eines einige einmal erst etwa etwas euch euer gegen gibt haben hatte hatten hier hinter ihnen ihre ihrem ihren ihrer ' +
    'immer indem jede jedem jeden jeder jedes jemand jene jetzt kann kaum kein keine keinem keinen keiner können könnte machen manche mehr mein meine ' +
    'muss müssen nach nachdem nein nicht nichts noch oben oder ohne schon sehr sein seine seinem seinen seiner seit selbst sich sind sobald soll sollen ' +
    'sollte sondern sonst soweit über unten unter unser unsere viel viele wann warum weil weit welche welchem welchen welcher welches weder wenig wenn ' +
    'werden wieder will wird wohl wollen worden wurde wurden zwar zwischen'
  )
    .split(' ')
    .map(folded),
);

/** Lower case without accents: German declension moves between a and ä, and a stemmer of a search engine folds them as well. */
function folded(text: string): string {
  return text.toLowerCase().replaceAll('ß', 'ss').normalize('NFKD').replaceAll(/\p{M}/gu, '');
}

/** The words of a text that carry meaning, folded, each once: no stop words of German and English, none under four letters. */
export function contentWords(text: string): Set<string> {
  const words = folded(text).match(/\p{L}+/gu) ?? [];
  return new Set(words.filter((word) => word.length >= SHORTEST_WORD && !STOP_WORDS.has(word)));
}

/** Pairs of content words that a search by words could match: the same first five letters, or one inside the other, as in German compounds. */
export function sharedContentWords(left: string, right: string): [string, string][] {
  const others = [...contentWords(right)];
  return [...contentWords(left)].flatMap((word) =>
    others.filter((other) => isAkin(word, other)).map((other): [string, string] => [word, other]),
  );
}

function isAkin(word: string, other: string): boolean {
  const [short, long] = word.length <= other.length ? [word, other] : [other, word];
  return long.startsWith(short.slice(0, STEM_LETTERS)) || (short.length >= STEM_LETTERS && long.includes(short));
}
