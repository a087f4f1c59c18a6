import { DecoratorHandler, type Dispatcher } from 'undici';

type ResponseStart = NonNullable<Dispatcher.DispatchHandler['onResponseStart']>;

/** The published types of the decorator leave out its methods. */
const Decorator = DecoratorHandler as unknown as new (handler: Dispatcher.DispatchHandler) => {
  onResponseStart(...response: Parameters<ResponseStart>): void;
};

/** Name under which a reply's Retry-After reaches the error mapping. */
export const RETRY_AFTER_HEADER = 'x-kindred-retry-after';

/**
 * Renames Retry-After on its way in.
 *
 * The client library replaces a 429 that has the header by an error of its own that reads the first digit only ("30" becomes 3) and drops status and text.
 * Under another name the header passes, and the reply stays whole.
 */
export class RetryAfterHandler extends Decorator {
  override onResponseStart(...[controller, statusCode, headers, statusMessage]: Parameters<ResponseStart>): void {
    const { 'retry-after': retryAfter, ...others } = headers;
    const renamed = retryAfter === undefined ? headers : { ...others, [RETRY_AFTER_HEADER]: retryAfter };
    super.onResponseStart(controller, statusCode, renamed, statusMessage);
  }
}
