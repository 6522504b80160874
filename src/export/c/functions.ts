/** The functions that a file may need, in the order in which one may call those before it; `R_exp` is `expf` for floats. */

export const FUNCTIONS = {
  find: `/* The place of a text among others, or -1. */
static int find(const char *text, const char *const *texts, int count) {
  for (int i = 0; text != NULL && i < count; i++)
    if (strcmp(text, texts[i]) == 0) return i;
  return -1;
}
`,
  place: `/* The place of a number among others, or -1. */
static int place(double x, const double *numbers, int count) {
  for (int i = 0; i < count; i++)
    if (x == numbers[i]) return i;
  return -1;
}
`,
  scaled: `/* (x - shift) / scale, and the smooth clip z / sqrt(1 + (z / clip)^2); no clip of 0. */
static double scaled(double x, double shift, double scale, double clip) {
  double z = (x - shift) / scale;
  if (clip == 0 || isnan(z)) return z;
  double limit = clip * 1073741824.0;
  z = fmin(fmax(z, -limit), limit);
  return z / sqrt(1 + z / clip * (z / clip));
}
`,
  date_part: `/* A part of a date (0 year, 1 month, 2 day, 3 weekday, 4 hour) by its days since 1970: Howard Hinnant's civil_from_days. */
static double date_part(double days, int part) {
  double midnight = floor(days);
  if (part == 4) return (days - midnight) * 24;
  if (part == 3) return midnight + 4 - 7 * floor((midnight + 4) / 7);
  double z = midnight + 719468;
  double era = floor(z / 146097);
  double day = z - era * 146097;
  double year = floor((day - floor(day / 1460) + floor(day / 36524) - floor(day / 146096)) / 365);
  double of_year = day - (365 * year + floor(year / 4) - floor(year / 100));
  double month = floor((5 * of_year + 2) / 153);
  if (part == 2) return of_year - floor((153 * month + 2) / 5) + 1;
  if (part == 1) return month + (month < 10 ? 3 : -9);
  return year + era * 400 + (month >= 10);
}
`,
  linear: `/* y = factor * x W + b, W [inputs, units] */
static void linear(const real *x, real *y, int inputs, int units, const real *w, const real *b, real factor) {
  for (int j = 0; j < units; j++) y[j] = 0;
  for (int i = 0; i < inputs; i++)
    for (int j = 0; j < units; j++) y[j] += x[i] * w[i * units + j];
  for (int j = 0; j < units; j++) y[j] = factor * y[j] + (b ? b[j] : 0);
}
`,
  add: `static void add(real *x, int n, const real *y) {
  for (int j = 0; j < n; j++) x[j] += y[j];
}
`,
  multiply: `static void multiply(real *x, int n, const real *y) {
  for (int j = 0; j < n; j++) x[j] *= y[j];
}
`,
  relu: `static real relu(real x, real p) {
  (void)p;
  return x > 0 ? x : 0;
}
`,
  leaky_relu: `static real leaky_relu(real x, real p) { return x < 0 ? p * x : x; }
`,
  hyperbolic: `static real hyperbolic(real x, real p) {
  (void)p;
  return R_tanh(x);
}
`,
  sigmoid: `static real sigmoid(real x, real p) {
  (void)p;
  real e = R_exp(-R_fabs(x));
  return (x >= 0 ? 1 : e) / (1 + e);
}
`,
  gelu: `static real gelu(real x, real p) {
  (void)p;
  return x * R_erfc(-x * (real)0.7071067811865476) / 2;
}
`,
  silu: `static real silu(real x, real p) { return x * sigmoid(x, p); }
`,
  elu: `static real elu(real x, real p) { return x < 0 ? p * R_expm1(x) : x; }
`,
  softplus: `static real softplus(real x, real p) {
  (void)p;
  return R_fmax(x, 0) + R_log1p(R_exp(-R_fabs(x)));
}
`,
  selu: `static real selu(real x, real p) {
  (void)p;
  return x < 0 ? (real)1.7580993408473768 * R_expm1(x) : (real)1.0507009873554805 * x;
}
`,
  mish: `static real mish(real x, real p) { return x * R_tanh(softplus(x, p)); }
`,
  activate: `/* y = f(x), or (1 - a) x + a f(x) with the slopes a */
static void activate(real *x, int n, real (*f)(real, real), real p, const real *a) {
  for (int j = 0; j < n; j++) x[j] = a ? (1 - a[j]) * x[j] + a[j] * f(x[j], p) : f(x[j], p);
}
`,
  batch_norm: `static void batch_norm(real *x, int n, real epsilon, const real *scale, const real *shift, const real *mean, const real *variance) {
  for (int j = 0; j < n; j++) x[j] = (x[j] - mean[j]) / R_sqrt(variance[j] + epsilon) * scale[j] + shift[j];
}
`,
  layer_norm: `static void layer_norm(real *x, int n, real epsilon, const real *scale, const real *shift) {
  real mean = 0, squares = 0;
  for (int j = 0; j < n; j++) mean += x[j] / n;
  for (int j = 0; j < n; j++) squares += (x[j] - mean) * (x[j] - mean) / n;
  for (int j = 0; j < n; j++) x[j] = (x[j] - mean) / R_sqrt(squares + epsilon) * scale[j] + shift[j];
}
`,
  embed_level: `/* The vector of a level, from 1; zeros for any other number. */
static void embed_level(real x, real *y, int size, int start, int levels, const real *w) {
  int level = x >= 1 && x < levels + 1 ? (int)x : 0;
  for (int o = 0; o < size; o++) y[o] = level ? w[(start + level - 1) * size + o] : 0;
}
`,
  turn: `/* The angle of f x turns, without whole turns. */
static real turn(real f, real x) {
  real t = f * x;
  return (real)6.283185307179586 * (t - R_floor(t + (real)0.5));
}
`,
  pbld: `/* [x, W cos(2 pi f x + p) + b] */
static void pbld(real x, real *y, int k, int size, const real *f, const real *p, const real *w, const real *b) {
  y[0] = x;
  for (int o = 0; o < size; o++) y[1 + o] = b[o];
  for (int l = 0; l < k; l++) {
    real wave = R_cos(turn(f[l], x) + p[l]);
    for (int o = 0; o < size; o++) y[1 + o] += w[o * k + l] * wave;
  }
}
`,
  periodic: `/* W [cos(2 pi f x), sin(2 pi f x)] + b, and its relu */
static void periodic(real x, real *y, int k, int size, int is_relu, const real *f, const real *w, const real *b) {
  for (int o = 0; o < size; o++) y[o] = b[o];
  for (int l = 0; l < k; l++) {
    real angle = turn(f[l], x);
    for (int o = 0; o < size; o++) y[o] += w[o * 2 * k + l] * R_cos(angle) + w[o * 2 * k + k + l] * R_sin(angle);
  }
  for (int o = 0; is_relu && o < size; o++) y[o] = y[o] > 0 ? y[o] : 0;
}
`,
  piecewise_linear: `/* a x + b + W e(x): e(x) is linear within the bin of x, 1 in those below and 0 in those above */
static void piecewise_linear(real x, real *y, int bins, int size, const real *edges, const real *a, const real *b, const real *w) {
  int bin = 0;
  while (bin + 1 < bins && edges[bin + 1] < edges[bins] && x >= edges[bin + 1]) bin++;
  real width = edges[bin + 1] - edges[bin];
  real part = width > 0 ? (x - edges[bin]) / width : 0;
  for (int o = 0; o < size; o++) {
    y[o] = a[o] * x + b[o];
    for (int t = 0; t <= bin; t++) y[o] += w[t * size + o] * (t < bin ? 1 : part);
  }
}
`,
  add_softmax: `static void add_softmax(const real *h, double *p, int n) {
  double most = h[0], sum = 0;
  for (int j = 1; j < n; j++) most = fmax(most, h[j]);
  for (int j = 0; j < n; j++) sum += exp(h[j] - most);
  for (int j = 0; j < n; j++) p[j] += exp(h[j] - most) / sum;
}
`,
  sigmoid_of: `static double sigmoid_of(double h) {
  double e = exp(-fabs(h));
  return (h >= 0 ? 1 : e) / (1 + e);
}
`,
  sort: `static void sort(double *p, int n) {
  for (int i = 1; i < n; i++)
    for (int j = i; j > 0 && p[j - 1] > p[j]; j--) {
      double t = p[j];
      p[j] = p[j - 1];
      p[j - 1] = t;
    }
}
`,
} as const;
