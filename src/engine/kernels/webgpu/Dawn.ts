/** A GPU as WebGPU tells of it. */
export interface Adapter {
  readonly info: AdapterInfo;
  readonly limits: Readonly<Record<string, number>>;
  readonly features: { has(name: string): boolean };
  requestDevice(wanted: object): Promise<Device>;
}

export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  /** Its name, in small letters with hyphens. */
  readonly device: string;
  /** The driver. */
  readonly description: string;
  /** Whether the CPU plays the GPU. */
  readonly isFallbackAdapter: boolean;
}

/** A GPU that is in use. */
export interface Device {
  readonly limits: Readonly<Record<string, number>>;
  readonly lost: Promise<{ readonly message: string }>;
  destroy(): void;
  addEventListener(type: 'uncapturederror', listener: (event: UncapturedError) => void): void;
}

/** What went wrong on the device some time ago. */
export interface UncapturedError {
  readonly error: { readonly message: string };
  preventDefault(): void;
}

/** WebGPU's entrance, which a browser has as `navigator.gpu`. */
export interface Gpu {
  requestAdapter(wanted: object): Promise<Adapter | null>;
}

/** The npm package `webgpu`: Dawn, Chromium's WebGPU, as a Node addon. */
export interface Dawn {
  create(options: readonly string[]): Gpu;
  /** GPUBufferUsage, GPUBuffer and the like, global in a browser. */
  readonly globals: Readonly<Record<string, unknown>>;
}
