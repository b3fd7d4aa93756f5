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

declare module 'parquetjs-lite/gen-nodejs/parquet_types.js' {
  class MicroSeconds {}
  class TimeUnit {
    constructor(unit: { readonly MICROS: MicroSeconds });
  }
  class TimestampType {
    constructor(type: { readonly isAdjustedToUTC: boolean; readonly unit: TimeUnit });
  }
  class LogicalType {
    constructor(type: { readonly TIMESTAMP: TimestampType });
  }
  class SchemaElement {
    readonly converted_type?: number;
    logicalType: LogicalType | null;
    write(protocol: object): void;
  }
  const thrift: {
    readonly ConvertedType: Record<string, number>;
    MicroSeconds: typeof MicroSeconds;
    TimeUnit: typeof TimeUnit;
    TimestampType: typeof TimestampType;
    LogicalType: typeof LogicalType;
    SchemaElement: typeof SchemaElement;
  };
  export default thrift;
}
