// A JavaScript heap: documents parsed, indexed by word, changed and written again, in five rounds.
let state = 1;
const chance = (limit) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
};
const word = () => "w" + Math.floor(chance(3000) * chance(3000) / 3000);
const documents = new Map();
const index = new Map();
for (let round = 0; round < 5; round++) {
  for (let number = 0; number < 1500; number++) {
    const id = chance(4000);
    const text = JSON.stringify({ id, round, tags: [word(), word(), word()], body: Array.from({ length: 20 }, word).join(" ") });
    documents.set(id, JSON.parse(text));
    for (const each of documents.get(id).body.split(" ")) {
      if (!index.has(each)) index.set(each, new Set());
      index.get(each).add(id);
    }
  }
  const found = [...index].sort((a, b) => b[1].size - a[1].size).slice(0, 50);
  const bytes = found.map(([each, ids]) => [...ids].map((id) => JSON.stringify(documents.get(id))).join("").length);
  console.log(round, documents.size, index.size, bytes.reduce((sum, size) => sum + size, 0));
}
