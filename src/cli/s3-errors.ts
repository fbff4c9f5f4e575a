/** What S3 says of a request that it refuses. */

/** S3's code and words for why it refused; what went wrong where no answer of S3's came. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { name, message } = error;
  // The SDK's word where the store gave none.
  if (message === "UnknownError") return name;
  return name === "Error" || message.startsWith(name) ? message : `${name}: ${message}`;
}

/** What is sent, or undefined where S3 answers `missing`. @throws naming the operation that was refused */
export async function answerOf<T>(
  operation: string,
  sent: Promise<T>,
  missing?: string,
): Promise<T | undefined> {
  try {
    return await sent;
  } catch (error) {
    if (error instanceof Error && error.name === missing) return undefined;
    throw new Error(`${operation}: ${wordsOf(error)}`);
  }
}
