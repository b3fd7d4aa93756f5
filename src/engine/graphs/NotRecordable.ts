/** Why a pass can't be run as a graph: a clause about it, as in `it reads a tensor back`. */
export class NotRecordable extends Error {
  override readonly name = 'NotRecordable';
}
