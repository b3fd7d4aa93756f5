import sharp from 'sharp';

/** A JPEG of one channel, of one grey everywhere, which every decoder gives back exactly. */
export const greyJpeg = (grey: number, side = 64): Promise<Buffer> =>
  sharp(Buffer.alloc(side * side, grey), { raw: { width: side, height: side, channels: 1 } })
    .toColourspace('b-w')
    .jpeg({ quality: 100 })
    .toBuffer();

/** A PNG of known pixels: red, green and blue of each, row by row. */
export const colourPng = (pixels: Uint8Array, width: number, height: number): Promise<Buffer> =>
  sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
