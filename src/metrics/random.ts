/** A stream of pseudo-random numbers that a seed determines. */
export interface RandomSource {
  /** The next integer of 32 bits, from 0 to 2^32 - 1. */
  uint32(): number;
  /** An integer from 0 to `bound` - 1, without bias; `bound` is from 1 to 2^32. */
  below(bound: number): number;
}

/**
 * xoshiro128** 1.1 of Blackman and Vigna (https://prng.di.unimi.it/xoshiro128starstar.c).
 * Not for secrets. The state must not be all zero.
 */
export function xoshiro128(state: readonly [number, number, number, number]): RandomSource {
  let [a, b, c, d] = state.map((word) => word >>> 0) as [number, number, number, number];
  if ((a | b | c | d) === 0) throw new RangeError('xoshiro128** needs a state that is not all zero');
  const uint32 = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
  const below = (bound: number): number => {
    const usable = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const drawn = uint32();
      if (drawn < usable) return drawn % bound;
    }
  };
  return { uint32, below };
}

/** The stream of a seed: xoshiro128** with its state filled by SplitMix32. */
export function randomFrom(seed: number): RandomSource {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  return xoshiro128([next(), next(), next(), next()]);
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
