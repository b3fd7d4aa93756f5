/** Points with the standard errors of both coordinates; all errors of both are 0, or none of a point's both. */
export interface Points {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly xError: ArrayLike<number>;
  readonly yError: ArrayLike<number>;
}

/** y = slope·x + intercept; all NaN where the points determine no line. */
export interface FittedLine {
  readonly slope: number;
  readonly intercept: number;
  /** Where y = 0: −intercept/slope. */
  readonly xIntercept: number;
  /**
   * What the errors of the points make of the slope; where these are all 0, what their scatter makes of it, of two NaN.
   */
  readonly slopeError: number;
  readonly interceptError: number;
  /**
   * χ² over its n − 2 degrees of freedom: above 1 the points scatter more than their errors say; NaN without errors,
   * and of two points, which have no scatter.
   */
  readonly reducedChiSquare: number;
}

const NONE: FittedLine = {
  slope: Number.NaN,
  intercept: Number.NaN,
  xIntercept: Number.NaN,
  slopeError: Number.NaN,
  interceptError: Number.NaN,
  reducedChiSquare: Number.NaN,
};

/** The line of `lineFit`, of points that are known to be in order. */
export function bestLine(points: Points): FittedLine {
  const { xError, yError } = points;
  const hasErrors = xError.length > 0 && (xError[0] !== 0 || yError[0] !== 0);
  const plain = ordinary(points);
  return hasErrors ? york(points, plain.slope) : plain;
}

/** Least squares of y, with the error that the residuals tell. */
function ordinary({ x, y }: Points): FittedLine {
  const n = x.length;
  // From the first on, so that the mean of equal numbers is that number.
  let [meanX, meanY] = [0, 0];
  for (let i = 0; i < n; i++) {
    meanX += x[i]! - x[0]!;
    meanY += y[i]! - y[0]!;
  }
  meanX = x[0]! + meanX / n;
  meanY = y[0]! + meanY / n;
  let [squares, products] = [0, 0];
  for (let i = 0; i < n; i++) {
    const dx = x[i]! - meanX;
    squares += dx * dx;
    products += dx * (y[i]! - meanY);
  }
  const slope = products / squares;
  if (!Number.isFinite(slope)) return NONE;
  const intercept = meanY - slope * meanX;
  let residuals = 0;
  for (let i = 0; i < n; i++) {
    const residual = y[i]! - intercept - slope * x[i]!;
    residuals += residual * residual;
  }
  const variance = byFreedom(residuals, n);
  return {
    slope,
    intercept,
    xIntercept: meanX - meanY / slope,
    slopeError: Math.sqrt(variance / squares),
    interceptError: Math.sqrt(variance * (1 / n + meanX ** 2 / squares)),
    reducedChiSquare: Number.NaN,
  };
}

/** A sum of squares over n − 2 degrees of freedom; of two points it is rounding over nothing. */
const byFreedom = (squares: number, n: number) => (n > 2 ? squares / (n - 2) : Number.NaN);

/** York's iteration stops there; it takes about ten. */
const MOST_ITERATIONS = 200;

function york(points: Points, first: number): FittedLine {
  const { x, y } = points;
  const n = x.length;
  let slope = first;
  let at = adjusted(points, slope);
  for (let iteration = 0; ; iteration++) {
    const { W, beta, meanX, meanY } = at;
    const next = sum(n, (i) => W[i]! * beta[i]! * (y[i]! - meanY)) / sum(n, (i) => W[i]! * beta[i]! * (x[i]! - meanX));
    const isThere = Math.abs(next - slope) <= 1e-13 * Math.abs(next);
    slope = next;
    if (!Number.isFinite(slope) || iteration === MOST_ITERATIONS) return NONE;
    at = adjusted(points, slope);
    if (isThere) break;
  }
  const { W, beta, total, meanX, meanY } = at;
  const intercept = meanY - slope * meanX;
  const meanBeta = sum(n, (i) => W[i]! * beta[i]!) / total;
  const slopeVariance = 1 / sum(n, (i) => W[i]! * (beta[i]! - meanBeta) ** 2);
  return {
    slope,
    intercept,
    xIntercept: meanX - meanY / slope,
    slopeError: Math.sqrt(slopeVariance),
    interceptError: Math.sqrt(1 / total + (meanX + meanBeta) ** 2 * slopeVariance),
    reducedChiSquare: byFreedom(
      sum(n, (i) => W[i]! * (y[i]! - intercept - slope * x[i]!) ** 2),
      n,
    ),
  };
}

/** Weights W and their sum, weighted means, and the x that each point would have on the line, from the mean. */
function adjusted({ x, y, xError, yError }: Points, slope: number) {
  const n = x.length;
  const W = new Float64Array(n);
  for (let i = 0; i < n; i++) W[i] = 1 / (yError[i]! ** 2 + (slope * xError[i]!) ** 2);
  const total = sum(n, (i) => W[i]!);
  const mean = (of: ArrayLike<number>) => of[0]! + sum(n, (i) => W[i]! * (of[i]! - of[0]!)) / total;
  const [meanX, meanY] = [mean(x), mean(y)];
  const beta = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    beta[i] = W[i]! * ((x[i]! - meanX) * yError[i]! ** 2 + slope * (y[i]! - meanY) * xError[i]! ** 2);
  }
  return { W, total, meanX, meanY, beta };
}

function sum(n: number, of: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < n; i++) total += of(i);
  return total;
}
