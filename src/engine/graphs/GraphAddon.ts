/** A graph that TensorFlow has loaded. */
export type Session = { readonly kind: 'session' };

/** A result that stays with TensorFlow, until it is released. */
export type KeptResult = { readonly kind: 'kept' };

/** brink's addon that runs whole graphs by TensorFlow's C library; see graphSession.cc. */
export interface GraphAddon {
  /**
   * @param graph A GraphDef.
   * @param inputs The tensors that it takes, `name:place`.
   * @param outputs Those that it gives.
   * @param settings A ConfigProto.
   * @throws Error with TensorFlow's words where it does not take the graph.
   */
  load(graph: Uint8Array, inputs: readonly string[], outputs: readonly string[], settings: Uint8Array): Session;
  /** One feed an input, one result an output; with `keeps` these stay with TensorFlow. */
  run(session: Session, feeds: readonly (Float32Array | KeptResult)[], keeps: false): Float32Array[];
  run(session: Session, feeds: readonly (Float32Array | KeptResult)[], keeps: true): KeptResult[];
  release(result: KeptResult): void;
  close(session: Session): void;
}
