/* The kernels of optim.h for one type T; included once for each. */

/* The gradient, downwards, with the weight decay in it. */
#define MT_GRADIENT(x) (decays ? sign * g[i] + decay * (x) : sign * g[i])
#define MT_DECAY(weight_decay, maximize, coupled)                                                   \
    const T sign = (maximize) != 0 ? -1 : 1, decay = (T)(weight_decay);                             \
    const int decays = (weight_decay) != 0 && (coupled)

/* o: lr, momentum, dampening, weight decay, nesterov, maximize; s: momentum buffer if there is momentum */
MT_STEP(sgd)
{
    (void)at;
    MT_DECAY(o[3], o[5], 1);
    const T lr = (T)o[0], momentum = (T)o[1], fresh = (T)(1 - o[2]);
    const int nesterov = o[4] != 0;
    T *b = s[0];
    if (b == NULL) {
        MT_ELEMENTS(i) p[i] -= lr * MT_GRADIENT(p[i]);
        return;
    }
    MT_ELEMENTS(i) {
        const T d = MT_GRADIENT(p[i]), mean = momentum * b[i] + fresh * d;
        b[i] = mean;
        p[i] -= lr * (nesterov ? d + momentum * mean : mean);
    }
}

/* o: lr, beta1, beta2, eps, weight decay, decoupled, maximize; s: means of g and g^2, amsgrad's largest of the latter;
   at: lr over the mean's correction, the root of the square's */
MT_STEP(adam)
{
    MT_DECAY(o[4], o[6], o[5] == 0);
    const T fresh1 = (T)(1 - o[1]), beta2 = (T)o[2], fresh2 = (T)(1 - o[2]), eps = (T)o[3];
    const T size = (T)at[0], root = (T)at[1], shrink = o[5] != 0 ? (T)(1 - o[0] * o[4]) : 1;
    T *m = s[0], *v = s[1];
    const int amsgrad = s[2] != NULL;
    T *top = amsgrad ? s[2] : v;
    MT_ELEMENTS(i) {
        const T d = MT_GRADIENT(p[i]);
        const T mean = m[i] + fresh1 * (d - m[i]);
        const T square = beta2 * v[i] + fresh2 * d * d;
        const T before = top[i];
        const T most = amsgrad && (before >= square || before != before) ? before : square;
        m[i] = mean;
        v[i] = square;
        if (amsgrad) top[i] = most;
        p[i] = p[i] * shrink - size * mean / (SQRT(most) / root + eps);
    }
}

/* o: lr, beta1, beta2, eps, weight decay, maximize; s: mean, largest; at: lr over the mean's correction */
MT_STEP(adamax)
{
    MT_DECAY(o[4], o[5], 1);
    const T fresh1 = (T)(1 - o[1]), beta2 = (T)o[2], eps = (T)o[3], size = (T)at[0];
    T *m = s[0], *u = s[1];
    MT_ELEMENTS(i) {
        const T d = MT_GRADIENT(p[i]);
        const T mean = m[i] + fresh1 * (d - m[i]), old = u[i] * beta2, now = ABS(d) + eps;
        const T most = old >= now || old != old ? old : now;
        m[i] = mean;
        u[i] = most;
        p[i] -= size * mean / most;
    }
}

/* o: lr, beta1, beta2, eps, weight decay, momentum decay, decoupled, maximize; s: means of g and g^2;
   at: sizes of the step along g and along its mean, the square's correction */
MT_STEP(nadam)
{
    MT_DECAY(o[4], o[7], o[6] == 0);
    const T fresh1 = (T)(1 - o[1]), beta2 = (T)o[2], fresh2 = (T)(1 - o[2]), eps = (T)o[3];
    const T along = (T)at[0], ahead = (T)at[1], correction = (T)at[2];
    const T shrink = o[6] != 0 ? (T)(1 - o[0] * o[4]) : 1;
    T *m = s[0], *v = s[1];
    MT_ELEMENTS(i) {
        const T d = MT_GRADIENT(p[i]);
        const T mean = m[i] + fresh1 * (d - m[i]), square = beta2 * v[i] + fresh2 * d * d;
        m[i] = mean;
        v[i] = square;
        p[i] = p[i] * shrink - (along * d + ahead * mean) / (SQRT(square / correction) + eps);
    }
}

/* o: lr, beta1, beta2, eps, weight decay, decoupled, maximize; s: means of g and g^2;
   at: lr over the mean's correction, the rectification with the square's correction, or 0 */
MT_STEP(radam)
{
    MT_DECAY(o[4], o[6], o[5] == 0);
    const T fresh1 = (T)(1 - o[1]), beta2 = (T)o[2], fresh2 = (T)(1 - o[2]), eps = (T)o[3];
    const T size = (T)at[0], rect = (T)at[1], shrink = o[5] != 0 ? (T)(1 - o[0] * o[4]) : 1;
    T *m = s[0], *v = s[1];
    const int rectified = rect != 0;
    MT_ELEMENTS(i) {
        const T d = MT_GRADIENT(p[i]);
        const T mean = m[i] + fresh1 * (d - m[i]), square = beta2 * v[i] + fresh2 * d * d;
        m[i] = mean;
        v[i] = square;
        p[i] = p[i] * shrink - size * mean * (rectified ? rect / (SQRT(square) + eps) : 1);
    }
}

/* o: lr, lr decay, weight decay, eps, maximize; s: sum of g^2; at: lr now */
MT_STEP(adagrad)
{
    MT_DECAY(o[2], o[4], 1);
    const T eps = (T)o[3], lr = (T)at[0];
    T *sum = s[0];
    MT_ELEMENTS(i) {
        const T d = MT_GRADIENT(p[i]), total = sum[i] + d * d;
        sum[i] = total;
        p[i] -= lr * d / (SQRT(total) + eps);
    }
}

/* o: lr, rho, eps, weight decay, maximize; s: means of g^2 and of the changes' squares */
MT_STEP(adadelta)
{
    (void)at;
    MT_DECAY(o[3], o[4], 1);
    const T lr = (T)o[0], rho = (T)o[1], fresh = (T)(1 - o[1]), eps = (T)o[2];
    T *v = s[0], *acc = s[1];
    MT_ELEMENTS(i) {
        const T d = MT_GRADIENT(p[i]), square = rho * v[i] + fresh * d * d;
        const T change = SQRT(acc[i] + eps) / SQRT(square + eps) * d;
        v[i] = square;
        acc[i] = rho * acc[i] + fresh * change * change;
        p[i] -= lr * change;
    }
}

/* o: lr, alpha, eps, weight decay, momentum, maximize; s: mean of g^2, momentum buffer, mean of g if centered.
   Four loops, since one with all the conditions in it is not vectorised. */
#define MT_RMSPROP(centered, moves)                                                                                 \
    MT_ELEMENTS(i) {                                                                                                \
        const T d = MT_GRADIENT(p[i]), square = alpha * v[i] + fresh * d * d;                                       \
        const T mean = centered ? m[i] + fresh * (d - m[i]) : 0;                                                    \
        const T change = d / (SQRT(square - mean * mean) + eps), buffer = moves ? momentum * b[i] + change : change; \
        v[i] = square;                                                                                              \
        if (centered) m[i] = mean;                                                                                  \
        if (moves) b[i] = buffer;                                                                                   \
        p[i] -= lr * buffer;                                                                                        \
    }
MT_STEP(rmsprop)
{
    (void)at;
    MT_DECAY(o[3], o[5], 1);
    const T lr = (T)o[0], alpha = (T)o[1], fresh = (T)(1 - o[1]), eps = (T)o[2], momentum = (T)o[4];
    T *v = s[0], *b = s[1], *m = s[2];
    if (b == NULL && m == NULL) { MT_RMSPROP(0, 0) }
    else if (m == NULL) { MT_RMSPROP(0, 1) }
    else if (b == NULL) { MT_RMSPROP(1, 0) }
    else { MT_RMSPROP(1, 1) }
}
#undef MT_RMSPROP

/* o: eta minus, eta plus, smallest and largest step, maximize; s: the last g, the steps */
MT_STEP(rprop)
{
    (void)at;
    const T minus = (T)o[0], plus = (T)o[1], low = (T)o[2], high = (T)o[3], sign = o[4] != 0 ? -1 : 1;
    T *prev = s[0], *size = s[1];
    MT_ELEMENTS(i) {
        const T d = sign * g[i], product = d * prev[i];
        const T factor = product > 0 ? plus : product < 0 ? minus : product == 0 ? 1 : product;
        T step = size[i] * factor;
        step = step < low ? low : step;
        step = step > high ? high : step;
        const T kept = product < 0 ? 0 : d;
        size[i] = step;
        prev[i] = kept;
        p[i] -= (T)((kept > 0) - (kept < 0)) * step;
    }
}

/* o: lr, lambda, alpha, t0, weight decay, maximize; s: the average; at: eta, what shrinks the parameter, mu */
MT_STEP(asgd)
{
    MT_DECAY(o[4], o[5], 1);
    const T eta = (T)at[0], shrink = (T)at[1], mu = (T)at[2];
    T *ax = s[0];
    const int averages = at[2] != 1;
    MT_ELEMENTS(i) {
        const T d = MT_GRADIENT(p[i]), x = p[i] * shrink - eta * d, mean = ax[i];
        ax[i] = averages ? mean + (x - mean) * mu : x;
        p[i] = x;
    }
}

#undef MT_GRADIENT
#undef MT_DECAY
