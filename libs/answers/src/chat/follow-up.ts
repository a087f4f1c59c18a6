/** A longer message says by itself what it is about. */
const WORDS_MAXIMUM = 8;

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
/** Stand for something that was said before. */
const PRONOUNS = words(
  'it its they them those these dafür dazu davon damit darin daran darauf darüber es ihn ihm ihnen diese dieser dieses',
);
/** So do these at the end of a sentence; elsewhere they may be articles. */
const LAST_PRONOUNS = words('that this das die der sie');
const CONNECTORS = words('and but or und aber oder');
/** A message of nothing else asks about what was said before. */
const FILLERS = words(
  'why how much many long often else what about which who when where so ok and warum wieso wie viel lange oft sonst was welche wer wann wo noch und mehr more',
);

/** Whether a message is about something that only the messages before it name. German and English; when in doubt, it is not. */
export function isFollowUp(message: string): boolean {
  const said = Array.from(message.matchAll(/\p{L}+/gu), ([word]) => word.toLowerCase());
  const [first, last] = [said[0], said.at(-1)];
  if (first === undefined || last === undefined || said.length > WORDS_MAXIMUM) return false;
  return (
    CONNECTORS.has(first) || LAST_PRONOUNS.has(last) || said.some((word) => PRONOUNS.has(word)) || said.every((word) => FILLERS.has(word))
  );
}

/**
 * What is looked for: the message, and before it, when it is a follow-up, the latest one that is none.
 *
 * @param earlier messages of the user, oldest first
 */
export function retrievalTextOf(message: string, earlier: readonly string[]): string {
  if (!isFollowUp(message)) return message;
  const subject = earlier.findLast((text) => !isFollowUp(text));
  return subject === undefined ? message : `${subject}\n${message}`;
}
