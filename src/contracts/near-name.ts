/** The number of single-character insertions, deletions and substitutions between two strings (Levenshtein 1966). */
export function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const substituted = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substituted));
    }
    row = next;
  }
  return row[right.length]!;
}

/** The known name that was probably meant: the closest within a third of its length (rounded up, ties by order), or else one that contains the given one; null where none is near. */
export function nearName(given: string, known: Iterable<string>): string | null {
  const wanted = given.toLowerCase();
  let best: string | null = null;
  let bestDistance = Infinity;
  let containing: string | null = null;
  for (const name of known) {
    const candidate = name.toLowerCase();
    if (wanted.length >= 3 && candidate.includes(wanted)) containing ??= name;
    const distance = editDistance(wanted, candidate);
    if (distance < bestDistance && distance <= Math.ceil(candidate.length / 3)) {
      best = name;
      bestDistance = distance;
    }
  }
  return best ?? containing;
}
