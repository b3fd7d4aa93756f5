/** Where the windows of a convolution or a pool stand on an image, and how many of them. */
export interface Windows {
  readonly padInfo: { readonly top: number; readonly left: number };
  readonly inHeight: number;
  readonly inWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly effectiveFilterHeight: number;
  readonly effectiveFilterWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

/** Rows and columns before and after an image, as many as its windows reach over. */
export function windowMargins({
  padInfo,
  ...info
}: Windows): Record<'rows' | 'columns', [before: number, after: number]> {
  const { top, left } = padInfo;
  const rows = (info.outHeight - 1) * info.strideHeight + info.effectiveFilterHeight - top - info.inHeight;
  const columns = (info.outWidth - 1) * info.strideWidth + info.effectiveFilterWidth - left - info.inWidth;
  return { rows: [top, Math.max(0, rows)], columns: [left, Math.max(0, columns)] };
}
