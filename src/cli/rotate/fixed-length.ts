/** What a Worker has as FixedLengthStream. */

/**
 * A pipe of exactly so many bytes: it fails where fewer come, or more, so that whoever reads it, and has said its length
 * already, never takes a part for the whole.
 */
export function fixedLength(length: number): TransformStream<Uint8Array, Uint8Array> {
  let left = length;
  return new TransformStream({
    transform(piece, controller) {
      left -= piece.length;
      if (left < 0) throw new RangeError(`more than ${length} bytes came`);
      controller.enqueue(piece);
    },
    flush() {
      if (left > 0) throw new RangeError(`${left} of ${length} bytes did not come`);
    },
  });
}
