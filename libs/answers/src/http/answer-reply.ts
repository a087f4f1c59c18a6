import type { Answer } from '../answer.js';
import type { AnswerReply } from './query.schemas.js';

export function answerReplyOf({ citations, ...answer }: Answer): AnswerReply {
  return { ...answer, citations: [...citations] };
}
