// One channel of a head's rows: centred about its mean, and written as whole numbers of four digits from -64 to 63 in parts of its largest,
// of which products and sums are exact. Grid: k, KH.
struct Shape { length: u32, quads: u32, short: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read_write> rows: array<f32>; // [KH, k, n]
@group(0) @binding(2) var<storage, read_write> peaks: array<f32>; // [KH, k]
@group(0) @binding(3) var<storage, read_write> digits: array<vec4u>; // [KH, k, n in fours]: a word of four rows for each digit, the highest first

const LANES = 128u;
const SHARE = 16u;

fn highestOf(own: f32, t: u32) -> f32 {
  workgroupBarrier();
  shares[t] = own;
  workgroupBarrier();
  var highest = 0.0;
  for (var i = 0u; i < LANES; i++) { highest = max(highest, shares[i]); }
  return highest;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let channel = group.y * shape.short + group.x;
  let first = channel * shape.length;
  var sum = 0.0;
  for (var j = t; j < shape.length; j += LANES) { sum += rows[first + j]; }
  let mean = totalOf(sum, t) / f32(shape.length);
  var highest = 0.0;
  for (var j = t; j < shape.length; j += LANES) {
    let centred = rows[first + j] - mean;
    rows[first + j] = centred;
    highest = max(highest, abs(centred));
  }
  let peak = highestOf(highest, t);
  if (t == 0u) { peaks[channel] = peak; }
  storageBarrier(); // a quad's rows were centred by its neighbours
  let steps = select(0.0, f32(MOST) / peak, peak > 0.0);
  for (var quad = t; quad < shape.quads; quad += LANES) {
    var words = vec4u(0u);
    for (var r = 0u; r < min(4u, shape.length - 4u * quad); r++) {
      var number = i32(round(rows[first + 4u * quad + r] * steps));
      for (var d = 0u; d < 4u; d++) {
        let digit = ((number + 64) & 127) - 64;
        words[3u - d] |= (u32(digit) & 255u) << (8u * r);
        number = (number - digit) >> 7u;
      }
    }
    digits[channel * shape.quads + quad] = words;
  }
}
