/** The part of the untyped package that brink uses. */
declare module 'parquetjs-lite' {
  export interface FieldDefinition {
    readonly type?: string;
    readonly optional?: boolean;
    readonly repeated?: boolean;
    readonly compression?: 'UNCOMPRESSED' | 'GZIP' | 'SNAPPY';
    readonly statistics?: false;
    readonly fields?: Readonly<Record<string, FieldDefinition>>;
  }
  class ParquetSchema {
    constructor(fields: Readonly<Record<string, FieldDefinition>>);
  }
  class ParquetEnvelopeWriter {
    constructor(
      schema: ParquetSchema,
      write: (bytes: Uint8Array) => Promise<void>,
      close: () => Promise<void>,
      offset: number,
      options: object,
    );
  }
  class ParquetWriter {
    constructor(schema: ParquetSchema, envelope: ParquetEnvelopeWriter, options: { readonly rowGroupSize: number });
    appendRow(row: object): Promise<void>;
    setMetadata(key: string, value: string): void;
    close(): Promise<void>;
  }
  const parquet: {
    ParquetSchema: typeof ParquetSchema;
    ParquetEnvelopeWriter: typeof ParquetEnvelopeWriter;
    ParquetWriter: typeof ParquetWriter;
  };
  export default parquet;
}

declare module 'parquetjs-lite/lib/types.js' {
  interface LogicalType {
    readonly primitiveType: string;
    readonly originalType: string;
    toPrimitive(value: unknown): unknown;
  }
  const types: { readonly PARQUET_LOGICAL_TYPES: Record<string, LogicalType> };
  export default types;
}
