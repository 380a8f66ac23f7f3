/* The operators of operators.py for a CPU, with the same names and formulas, each in as few passes over
   memory as it needs. native.py compiles this file, once for REAL float and once for double.

   A map is [groups, images, side, side, channels], the channels a multiple of `multiple`. The 3 x 3
   convolution with stride 2 and padding 1 reads its input where it lies, through a list of pointers, one for
   each row and tap (an indirect convolution: Dukhan 2019, arXiv:1907.02129): nothing is cut into windows and
   nothing scattered. Sums over many rows are sums of partial sums, so float keeps its digits. Every number is
   computed in the same order whatever the number of threads. */

#include <math.h>
#if defined(__linux__)
#include <malloc.h>
#endif
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__AVX512F__)
enum { BYTES = 64, ROWS = 6, COLUMNS = 4, DEEP = 4, WIDE = 4, NARROW = 2 };
#elif defined(__AVX__)
enum { BYTES = 32, ROWS = 6, COLUMNS = 2, DEEP = 4, WIDE = 2, NARROW = 1 };
#else
enum { BYTES = 16, ROWS = 6, COLUMNS = 2, DEEP = 4, WIDE = 2, NARROW = 1 };
#endif
/* A tile of a product: ROWS x COLUMNS vectors of sums, and COLUMNS of weights, fill the registers. A tile of
   a gradient of weights: DEEP x WIDE vectors of sums. Of the first block's: PIXELS x NARROW. */

enum { TAPS = 9, PIXELS = 10, BLOCK = 128, LANES = BYTES / sizeof(REAL), MULTIPLE = LANES > 8 ? LANES : 8 };
/* PIXELS: of a patch, and its 1 for the shift. BLOCK: rows of a partial sum, which stay in the first cache.
   MULTIPLE: the channels are a multiple of it. */

#define UNROLL _Pragma("GCC unroll 16")
#define INLINE static inline __attribute__((always_inline))

typedef int64_t i64;
typedef REAL vec __attribute__((vector_size(BYTES), aligned(sizeof(REAL)), may_alias));
typedef WHOLE mask __attribute__((vector_size(BYTES)));

INLINE vec load(const REAL *p) { return *(const vec *)p; }
INLINE void store(REAL *p, vec v) { *(vec *)p = v; }

/* g where y > 0, else 0; g where y is nan, as in torch. */
INLINE vec where_positive(vec y, vec g) { return (vec)(~(mask)(y <= 0) & (mask)g); }

int multiple(void) { return MULTIPLE; }

/* Maps are made and freed all the time. glibc would give each one back to the system and have the next one
   filled with zeros, page by page. */
void keep_freed_memory(void) {
#if defined(__GLIBC__)
    mallopt(M_MMAP_THRESHOLD, 1 << 28);
    mallopt(M_TRIM_THRESHOLD, 1 << 29);
#endif
}

static i64 halved(i64 side) { return (side + 1) / 2; }
static i64 least(i64 a, i64 b) { return a < b ? a : b; }

/* --- Products --- */

enum How { STORE, ADD, RELU, MASK };

/* ROWS rows by `columns` vectors of sum over taps and k of a[tap][row][k] b[tap][k][column], and the first
   `used` rows written to to[row]. MASK: where the number `y` further on is positive, else 0. */
INLINE void tile(const int columns, const enum How how, const REAL *const *a, int taps, i64 depth,
                 const REAL *const *b, i64 b_row, REAL *const *to, i64 column, ptrdiff_t y, int used) {
    vec sum[ROWS][COLUMNS];
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int v = 0; v < columns; v++) sum[r][v] = (vec){0};
    for (int t = 0; t < taps; t++) {
        const REAL *from[ROWS], *weights = b[t] + column;
        UNROLL for (int r = 0; r < ROWS; r++) from[r] = a[t * ROWS + r];
        for (i64 k = 0; k < depth; k++, weights += b_row) {
            vec w[COLUMNS];
            UNROLL for (int v = 0; v < columns; v++) w[v] = load(weights + v * LANES);
            UNROLL for (int r = 0; r < ROWS; r++) {
                const REAL one = from[r][k];
                UNROLL for (int v = 0; v < columns; v++) sum[r][v] += one * w[v];
            }
        }
    }
    UNROLL for (int r = 0; r < ROWS; r++) {
        if (r >= used) break;
        UNROLL for (int v = 0; v < columns; v++) {
            REAL *at = to[r] + column + v * LANES;
            vec value = sum[r][v];
            if (how == ADD) value += load(at);
            if (how == RELU) value = where_positive(value, value);
            if (how == MASK) value = where_positive(load(at + y), value);
            store(at, value);
        }
    }
}

/* A tile for all columns. */
INLINE void rows_by(const enum How how, const REAL *const *a, int taps, i64 depth, const REAL *const *b,
                    i64 columns, REAL *const *to, ptrdiff_t y, int used) {
    i64 at = 0;
    for (; at + COLUMNS * LANES <= columns; at += COLUMNS * LANES)
        tile(COLUMNS, how, a, taps, depth, b, columns, to, at, y, used);
    if (at + 2 * LANES <= columns) {
        tile(2, how, a, taps, depth, b, columns, to, at, y, used);
        at += 2 * LANES;
    }
    if (at < columns) tile(1, how, a, taps, depth, b, columns, to, at, y, used);
}

/* rows_by with `how` known to the compiler: four loops without a question in them. */
static void product(enum How how, const REAL *const *a, int taps, i64 depth, const REAL *const *b,
                    i64 columns, REAL *const *to, ptrdiff_t y, int used) {
    switch (how) {
    case STORE: rows_by(STORE, a, taps, depth, b, columns, to, y, used); break;
    case ADD: rows_by(ADD, a, taps, depth, b, columns, to, y, used); break;
    case RELU: rows_by(RELU, a, taps, depth, b, columns, to, y, used); break;
    case MASK: rows_by(MASK, a, taps, depth, b, columns, to, y, used); break;
    }
}

/* [map][TAPS]: the pixel that each output has under each tap, or -1: outside. */
static i64 (*windows(i64 side)) [TAPS] {
    const i64 high = halved(side);
    i64(*pixel)[TAPS] = malloc(high * high * sizeof *pixel);
    for (i64 o = 0; o < high * high; o++)
        for (i64 t = 0; t < TAPS; t++) {
            const i64 i = 2 * (o / high) - 1 + t / 3, j = 2 * (o % high) - 1 + t % 3;
            pixel[o][t] = i < 0 || i >= side || j < 0 || j >= side ? -1 : i * side + j;
        }
    return pixel;
}

/* y (+)= windows(x) w. x: [groups, n, side, side, c]; w: 9 c x f for every `each` groups, w_next apart;
   y: [groups, n h w, f]. */
void convolve(REAL *y, const REAL *x, const REAL *w, i64 w_next, i64 groups, i64 each, i64 n, i64 side, i64 c,
              i64 f, int add, int threads) {
    const i64 map = halved(side) * halved(side), rows = n * map, tiles = (rows + ROWS - 1) / ROWS;
    REAL *zeros = calloc(c, sizeof(REAL));
    i64(*pixel)[TAPS] = windows(side);
#pragma omp parallel for collapse(2) num_threads(threads) if (threads > 1)
    for (i64 g = 0; g < groups; g++)
        for (i64 one = 0; one < tiles; one++) {
            const i64 first = one * ROWS, used = least(ROWS, rows - first);
            const REAL *a[TAPS * ROWS], *b[TAPS];
            REAL *to[ROWS];
            for (i64 t = 0; t < TAPS; t++) b[t] = w + g / each * w_next + t * c * f;
            i64 o = first % map;
            const REAL *image = x + (g * n + first / map) * side * side * c;
            for (i64 r = 0; r < ROWS; r++) {
                for (i64 t = 0; t < TAPS; t++)
                    a[t * ROWS + r] = r >= used || pixel[o][t] < 0 ? zeros : image + pixel[o][t] * c;
                to[r] = y + (g * rows + first + r) * f;
                if (++o == map) o = 0, image += side * side * c;
            }
            product(add ? ADD : STORE, a, TAPS, c, b, f, to, 0, used);
        }
    free(pixel);
    free(zeros);
}

/* to[column][row] = from[row][column], of c x f, a square at a time. */
static void turn(REAL *to, const REAL *from, i64 c, i64 f) {
    for (i64 k = 0; k < c; k += LANES)
        for (i64 l = 0; l < f; l += LANES) {
            REAL square[LANES][LANES];
            for (int i = 0; i < LANES; i++) store(square[i], load(from + (k + i) * f + l));
            for (int i = 0; i < LANES; i++) {
                vec column;
                UNROLL for (int j = 0; j < LANES; j++) column[j] = square[j][i];
                store(to + (l + i) * c + k, column);
            }
        }
}

/* dx (+)= scatter(dy w^T), the adjoint of convolve. A pixel in an even row is in the windows of one row of
   outputs, by their middle tap; one in an odd row in those of two. So there are four kinds of pixels, of one,
   two, two and four taps, and each kind is a product. turned: room for 9 f c numbers, for each w. */
void by_input(REAL *dx, const REAL *dy, const REAL *w, i64 w_next, REAL *turned, i64 groups, i64 each, i64 n,
              i64 side, i64 c, i64 f, int add, int threads) {
    const i64 high = halved(side), map = high * high;
    REAL *zeros = calloc(f, sizeof(REAL));
#pragma omp parallel for collapse(2) num_threads(threads) if (threads > 1)
    for (i64 s = 0; s < groups / each; s++)
        for (i64 t = 0; t < TAPS; t++)
            turn(turned + (s * TAPS + t) * f * c, w + s * w_next + t * c * f, c, f);
    i64(*from)[4] = malloc(map * sizeof *from), *at = malloc(map * sizeof *at); /* of the largest kind */
    for (int kind = 0; kind < 4; kind++) {
        const i64 top = kind / 2, left = kind % 2, right = 1 + left, taps = (1 + top) * right;
        i64 pixels = 0, tap[4];
        for (i64 t = 0; t < taps; t++)
            tap[t] = 3 * (top ? 2 * (t / right) : 1) + (left ? 2 * (t % right) : 1);
        for (i64 i = top; i < side; i += 2)
            for (i64 j = left; j < side; j += 2) {
                for (i64 t = 0; t < taps; t++) {
                    const i64 o = (i + top) / 2 - t / right, p = (j + left) / 2 - t % right;
                    from[pixels][t] = o < high && p < high ? o * high + p : -1;
                }
                at[pixels++] = i * side + j;
            }
        const i64 rows = n * pixels, tiles = (rows + ROWS - 1) / ROWS;
#pragma omp parallel for collapse(2) num_threads(threads) if (threads > 1)
        for (i64 g = 0; g < groups; g++)
            for (i64 one = 0; one < tiles; one++) {
                const i64 first = one * ROWS, used = least(ROWS, rows - first);
                const REAL *a[4 * ROWS], *b[4];
                REAL *to[ROWS];
                for (i64 t = 0; t < taps; t++) b[t] = turned + (g / each * TAPS + tap[t]) * f * c;
                i64 p = first % pixels, image = g * n + first / pixels;
                for (i64 r = 0; r < ROWS; r++) {
                    for (i64 t = 0; t < taps; t++)
                        a[t * ROWS + r] =
                            r >= used || from[p][t] < 0 ? zeros : dy + (image * map + from[p][t]) * f;
                    to[r] = dx + (image * side * side + at[p]) * c;
                    if (++p == pixels) p = 0, image++;
                }
                product(add ? ADD : STORE, a, taps, f, b, c, to, 0, used);
            }
    }
    free(at);
    free(from);
    free(zeros);
}

/* `deep` rows by `wide` vectors: out += sum over i of x[i][row] dy[i][column]. */
INLINE void outer(const int deep, const int wide, REAL *out, i64 f, const REAL *const *x,
                  const REAL *const *dy, i64 k, i64 column, i64 count) {
    vec sum[MULTIPLE][WIDE];
    UNROLL for (int r = 0; r < deep; r++) UNROLL for (int v = 0; v < wide; v++) sum[r][v] = (vec){0};
    for (i64 i = 0; i < count; i++) {
        vec d[WIDE];
        UNROLL for (int v = 0; v < wide; v++) d[v] = load(dy[i] + column + v * LANES);
        UNROLL for (int r = 0; r < deep; r++) {
            const REAL one = x[i][k + r];
            UNROLL for (int v = 0; v < wide; v++) sum[r][v] += one * d[v];
        }
    }
    UNROLL for (int r = 0; r < deep; r++) UNROLL for (int v = 0; v < wide; v++) {
        REAL *at = out + (k + r) * f + column + v * LANES;
        store(at, load(at) + sum[r][v]);
    }
}

/* dw (+)= windows(x)^T dy: 9 c x f for every `each` groups, dw_next apart. Each thread has some channels. */
void by_weights(REAL *dw, i64 dw_next, const REAL *x, const REAL *dy, i64 groups, i64 each, i64 n, i64 side,
                i64 c, i64 f, int add, int threads) {
    const i64 map = halved(side) * halved(side), images = each * n, parts = least(threads, c / MULTIPLE);
    const i64 block = BLOCK > map ? BLOCK / map : 1; /* images */
    i64(*pixel)[TAPS] = windows(side);
#pragma omp parallel for collapse(2) num_threads(threads) if (threads > 1)
    for (i64 s = 0; s < groups / each; s++)
        for (i64 part = 0; part < parts; part++) {
            const i64 from = part * (c / MULTIPLE) / parts * MULTIPLE;
            const i64 until = (part + 1) * (c / MULTIPLE) / parts * MULTIPLE;
            const REAL **xs = malloc(2 * block * map * sizeof *xs), **dys = xs + block * map;
            for (i64 t = 0; t < TAPS && !add; t++)
                memset(dw + s * dw_next + (t * c + from) * f, 0, (until - from) * f * sizeof(REAL));
            for (i64 first = s * images; first < (s + 1) * images; first += block)
                for (i64 t = 0; t < TAPS; t++) {
                    i64 count = 0;
                    for (i64 image = first; image < least(first + block, (s + 1) * images); image++)
                        for (i64 o = 0; o < map; o++)
                            if (pixel[o][t] >= 0) {
                                xs[count] = x + (image * side * side + pixel[o][t]) * c;
                                dys[count++] = dy + (image * map + o) * f;
                            }
                    REAL *out = dw + s * dw_next + t * c * f;
                    i64 at = 0;
                    for (; at + WIDE * LANES <= f; at += WIDE * LANES)
                        for (i64 k = from; k < until; k += DEEP)
                            outer(DEEP, WIDE, out, f, xs, dys, k, at, count);
                    for (; at < f; at += LANES)
                        for (i64 k = from; k < until; k += MULTIPLE)
                            outer(MULTIPLE, 1, out, f, xs, dys, k, at, count);
                }
            free(xs);
        }
    free(pixel);
}

/* --- The first block --- */

/* patches: [groups, n h w, PIXELS], the nine pixels of each window less their means over the map, and a 1;
   covariance: [groups, 9, 9]. images: [groups, n, side, side]. */
void cut(REAL *patches, REAL *covariance, const REAL *images, i64 groups, i64 n, i64 side, int threads) {
    const i64 high = halved(side), map = high * high, rows = n * map;
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (i64 g = 0; g < groups; g++) {
        REAL *to = patches + g * rows * PIXELS;
        double mean[TAPS] = {0}, product[TAPS][TAPS] = {{0}};
        for (i64 row = 0; row < rows; row++)
            for (i64 t = 0; t < TAPS; t++) {
                const i64 i = 2 * (row % map / high) - 1 + t / 3, j = 2 * (row % high) - 1 + t % 3;
                const int inside = i >= 0 && i < side && j >= 0 && j < side;
                const REAL *image = images + (g * n + row / map) * side * side;
                mean[t] += to[row * PIXELS + t] = inside ? image[i * side + j] : 0;
            }
        for (i64 row = 0; row < rows; row++) {
            REAL *at = to + row * PIXELS;
            for (i64 t = 0; t < TAPS; t++) at[t] -= (REAL)(mean[t] / rows);
            at[TAPS] = 1;
            for (i64 t = 0; t < TAPS; t++)
                for (i64 u = 0; u < TAPS; u++) product[t][u] += (double)at[t] * at[u];
        }
        for (i64 t = 0; t < TAPS; t++)
            for (i64 u = 0; u < TAPS; u++) covariance[(g * TAPS + t) * TAPS + u] = product[t][u] / rows;
    }
}

/* y = relu(patches filters), or, in another's place, patches filters where that y > 0.
   patches: [groups, rows, PIXELS]; filters: [groups, PIXELS, f]. where: null: none. */
void first_rows(REAL *y, const REAL *patches, const REAL *filters, const REAL *where, i64 groups, i64 rows,
                i64 f, int threads) {
    const i64 tiles = (rows + ROWS - 1) / ROWS;
#pragma omp parallel for collapse(2) num_threads(threads) if (threads > 1)
    for (i64 g = 0; g < groups; g++)
        for (i64 one = 0; one < tiles; one++) {
            const i64 first = one * ROWS, used = least(ROWS, rows - first);
            const REAL *a[ROWS], *b[1] = {filters + g * PIXELS * f};
            REAL *to[ROWS];
            for (i64 r = 0; r < ROWS; r++) {
                const i64 row = g * rows + least(first + r, rows - 1);
                a[r] = patches + row * PIXELS;
                to[r] = y + row * f;
            }
            product(where ? MASK : RELU, a, 1, PIXELS, b, f, to, where ? where - y : 0, used);
        }
}

/* da = patches^T (dy where y > 0), [groups, PIXELS, f]. */
void first_by_weights(REAL *da, const REAL *patches, const REAL *y, const REAL *dy, i64 groups, i64 rows,
                      i64 f, int threads) {
    memset(da, 0, groups * PIXELS * f * sizeof(REAL));
#pragma omp parallel for collapse(2) num_threads(threads) if (threads > 1)
    for (i64 g = 0; g < groups; g++)
        for (i64 column = 0; column < f / LANES; column += NARROW)
            for (i64 first = g * rows; first < (g + 1) * rows; first += BLOCK) {
                const int wide = least(NARROW, f / LANES - column);
                vec sum[PIXELS][NARROW];
                UNROLL for (int p = 0; p < PIXELS; p++) UNROLL for (int v = 0; v < NARROW; v++) sum[p][v] =
                    (vec){0};
                for (i64 row = first; row < least(first + BLOCK, (g + 1) * rows); row++)
                    UNROLL for (int v = 0; v < NARROW; v++) {
                        const i64 at = row * f + (column + (v < wide ? v : 0)) * LANES;
                        const vec d = where_positive(load(y + at), load(dy + at));
                        UNROLL for (int p = 0; p < PIXELS; p++) sum[p][v] += patches[row * PIXELS + p] * d;
                    }
                for (int v = 0; v < wide; v++)
                    for (int p = 0; p < PIXELS; p++) {
                        REAL *at = da + (g * PIXELS + p) * f + (column + v) * LANES;
                        store(at, load(at) + sum[p][v]);
                    }
            }
}

/* --- Batch norm and ReLU --- */

/* Over the rows of each group: [groups, rows, c]; numbers of a channel: [groups, c]. */

enum { MANY = 4 }; /* vectors of channels at a time */

/* Calls f(many, c, ...) for every group and MANY vectors of its channels; `at` is the first number of these,
   `of` their place among numbers of a channel. */
#define BY_CHANNELS(f, ...)                                                                              \
    _Pragma("omp parallel for num_threads(threads) if (threads > 1)") for (i64 g = 0; g < groups; g++) { \
        i64 column = 0;                                                                                  \
        for (; column + MANY * LANES <= c; column += MANY * LANES) {                                     \
            const i64 at = g * rows * c + column, of = g * c + column;                                   \
            f(MANY, rows, c, __VA_ARGS__);                                                               \
        }                                                                                                \
        for (; column < c; column += LANES) {                                                            \
            const i64 at = g * rows * c + column, of = g * c + column;                                   \
            f(1, rows, c, __VA_ARGS__);                                                                  \
        }                                                                                                \
    }

/* A loop over rows in which `part` sums; then sums += part. */
#define SUM(count, sums, ...)                                                                      \
    for (i64 first = 0; first < rows; first += BLOCK) {                                            \
        vec part[count][MANY];                                                                     \
        memset(part, 0, sizeof part);                                                              \
        for (i64 row = first; row < least(first + BLOCK, rows); row++)                             \
            UNROLL for (int v = 0; v < many; v++) {                                                \
                const i64 i = row * c + v * LANES;                                                 \
                __VA_ARGS__                                                                        \
            }                                                                                      \
        UNROLL for (int s = 0; s < count; s++) UNROLL for (int v = 0; v < many; v++) sums[s][v] += \
            part[s][v];                                                                            \
    }

INLINE void relu_at(const int many, i64 rows, i64 c, REAL *n, REAL *y, REAL *r, const REAL *scale,
                    const REAL *shift, REAL eps) {
    vec mean[1][MANY] = {0}, square[1][MANY] = {0}, by[MANY];
    SUM(1, mean, part[0][v] += load(n + i);)
    UNROLL for (int v = 0; v < many; v++) mean[0][v] /= (REAL)rows;
    SUM(1, square, const vec d = load(n + i) - mean[0][v]; part[0][v] += d * d;)
    UNROLL for (int v = 0; v < many; v++) {
        by[v] = square[0][v] / (REAL)rows + eps;
        for (int l = 0; l < LANES; l++) by[v][l] = 1 / (REAL)sqrt(by[v][l]);
        store(r + v * LANES, by[v]);
    }
    for (i64 row = 0; row < rows; row++) UNROLL for (int v = 0; v < many; v++) {
            const i64 i = row * c + v * LANES;
            const vec one = (load(n + i) - mean[0][v]) * by[v];
            const vec value = load(shift + v * LANES) + one * load(scale + v * LANES);
            store(n + i, one);
            store(y + i, where_positive(value, value));
        }
}

/* x becomes n. */
void norm_relu(REAL *x, REAL *y, REAL *r, const REAL *scale, const REAL *shift, double eps, i64 groups,
               i64 rows, i64 c,
               int threads){BY_CHANNELS(relu_at, x + at, y + at, r + of, scale + of, shift + of, (REAL)eps)}

INLINE void gradient_at(const int many, i64 rows, i64 c, REAL *dx, REAL *mean, REAL *along, const REAL *n,
                        const REAL *y, const REAL *dy, const REAL *r, const REAL *scale) {
    vec sums[2][MANY] = {0}, f[MANY], base[MANY], by_n[MANY];
    SUM(2, sums, const vec d = where_positive(load(y + i), load(dy + i)); part[0][v] += d;
        part[1][v] += d * load(n + i);)
    UNROLL for (int v = 0; v < many; v++) {
        const vec d_mean = sums[0][v] / (REAL)rows, dn = sums[1][v] / (REAL)rows;
        store(mean + v * LANES, d_mean);
        store(along + v * LANES, dn);
        f[v] = load(scale + v * LANES) * load(r + v * LANES);
        base[v] = -f[v] * d_mean;
        by_n[v] = -f[v] * dn;
    }
    for (i64 row = 0; row < rows; row++) UNROLL for (int v = 0; v < many; v++) {
            const i64 i = row * c + v * LANES;
            const vec d = where_positive(load(y + i), load(dy + i));
            store(dx + i, base[v] + d * f[v] + load(n + i) * by_n[v]);
        }
}

void norm_relu_gradient(REAL *dx, REAL *mean, REAL *along, const REAL *n, const REAL *y, const REAL *dy,
                        const REAL *r, const REAL *scale, i64 groups, i64 rows, i64 c, int threads){
    BY_CHANNELS(gradient_at, dx + at, mean + of, along + of, n + at, y + at, dy + at, r + of, scale + of)}

INLINE void tangent_at(const int many, i64 rows, i64 c, REAL *y_dot, REAL *mean, REAL *along, const REAL *n,
                       const REAL *y, const REAL *x_dot, const REAL *r, const REAL *scale,
                       const REAL *scale_dot, const REAL *shift_dot) {
    vec sums[2][MANY] = {0}, f[MANY], base[MANY], by_n[MANY];
    SUM(2, sums, const vec x = load(x_dot + i); part[0][v] += x; part[1][v] += x * load(n + i);)
    UNROLL for (int v = 0; v < many; v++) {
        const vec x_mean = sums[0][v] / (REAL)rows, xn = sums[1][v] / (REAL)rows;
        store(mean + v * LANES, x_mean);
        store(along + v * LANES, xn);
        f[v] = load(scale + v * LANES) * load(r + v * LANES);
        base[v] = load(shift_dot + v * LANES) - f[v] * x_mean;
        by_n[v] = load(scale_dot + v * LANES) - f[v] * xn;
    }
    for (i64 row = 0; row < rows; row++) UNROLL for (int v = 0; v < many; v++) {
            const i64 i = row * c + v * LANES;
            store(y_dot + i,
                  where_positive(load(y + i), base[v] + load(x_dot + i) * f[v] + load(n + i) * by_n[v]));
        }
}

void norm_relu_tangent(REAL *y_dot, REAL *mean, REAL *along, const REAL *n, const REAL *y, const REAL *x_dot,
                       const REAL *r, const REAL *scale, const REAL *scale_dot, const REAL *shift_dot,
                       i64 groups, i64 rows, i64 c, int threads){
    BY_CHANNELS(tangent_at, y_dot + at, mean + of, along + of, n + at, y + at, x_dot + at, r + of, scale + of,
                scale_dot + of, shift_dot + of)}

INLINE void gradient_tangent_at(const int many, i64 rows, i64 c, REAL *dx_dot, REAL *mean, REAL *dn_dot,
                                const REAL *n, const REAL *y, const REAL *dy, const REAL *x_dot,
                                const REAL *dy_dot, const REAL *r, const REAL *scale, const REAL *scale_dot,
                                const REAL *d_mean, const REAL *d_along, const REAL *x_mean,
                                const REAL *x_along) {
    vec sums[3][MANY] = {0}, base[MANY], f[MANY], by_d[MANY], by_x[MANY], by_n[MANY];
    SUM(3, sums, const vec positive = load(y + i);
        const vec d_dot = where_positive(positive, load(dy_dot + i)); part[0][v] += d_dot;
        part[1][v] += d_dot * load(n + i);
        part[2][v] += where_positive(positive, load(dy + i)) * load(x_dot + i);)
    UNROLL for (int v = 0; v < many; v++) {
        const i64 i = v * LANES;
        const vec r_ = load(r + i), dm = load(d_mean + i), dn = load(d_along + i);
        const vec xm = load(x_mean + i), xn = load(x_along + i);
        const vec d_dot_mean = sums[0][v] / (REAL)rows;
        const vec turned = sums[1][v] / (REAL)rows + r_ * (sums[2][v] / (REAL)rows - dm * xm - dn * xn);
        store(mean + i, d_dot_mean);
        store(dn_dot + i, turned);
        f[v] = load(scale + i) * r_;
        by_d[v] = r_ * (load(scale_dot + i) - f[v] * xn);
        by_x[v] = -f[v] * r_ * dn;
        by_n[v] = -by_d[v] * dn - f[v] * turned - by_x[v] * xn;
        base[v] = -by_d[v] * dm - f[v] * d_dot_mean - by_x[v] * xm;
    }
    for (i64 row = 0; row < rows; row++) UNROLL for (int v = 0; v < many; v++) {
            const i64 i = row * c + v * LANES;
            const vec positive = load(y + i), d_dot = where_positive(positive, load(dy_dot + i));
            const vec d = where_positive(positive, load(dy + i));
            store(dx_dot + i,
                  base[v] + d_dot * f[v] + d * by_d[v] + load(x_dot + i) * by_x[v] + load(n + i) * by_n[v]);
        }
}

void norm_relu_gradient_tangent(REAL *dx_dot, REAL *mean, REAL *dn_dot, const REAL *n, const REAL *y,
                                const REAL *dy, const REAL *x_dot, const REAL *dy_dot, const REAL *r,
                                const REAL *scale, const REAL *scale_dot, const REAL *d_mean,
                                const REAL *d_along, const REAL *x_mean, const REAL *x_along, i64 groups,
                                i64 rows, i64 c, int threads) {
    BY_CHANNELS(gradient_tangent_at, dx_dot + at, mean + of, dn_dot + of, n + at, y + at, dy + at, x_dot + at,
                dy_dot + at, r + of, scale + of, scale_dot + of, d_mean + of, d_along + of, x_mean + of,
                x_along + of)
}
