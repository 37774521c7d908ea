// run.js jobs.json: run every model in onnxruntime, write NAME.ort_pred.csv
const ort = require('onnxruntime-node');
const fs = require('fs');
const A = {float32: Float32Array, float64: Float64Array, int64: BigInt64Array, int32: Int32Array, bool: Uint8Array};
(async () => {
  for (const job of JSON.parse(fs.readFileSync(process.argv[2]))) {
    try {
      const s = await ort.InferenceSession.create(job.model, {logSeverityLevel: 3, graphOptimizationLevel: job.opt || 'all'});
      const feeds = {};
      for (const f of job.feeds) {
        let d = f.data.map(v => v === 'nan' ? NaN : v === 'inf' ? Infinity : v === '-inf' ? -Infinity : v);
        if (f.type === 'int64') d = BigInt64Array.from(d.map(v => BigInt(v)));
        else if (f.type === 'string') d = d.map(String);
        else d = A[f.type].from(d);
        feeds[f.name] = new ort.Tensor(f.type, d, f.dims);
      }
      const out = await s.run(feeds, [job.output]);
      const t = out[job.output], n = job.rows, k = t.data.length / n;
      let csv = 'row_id'; for (let j = 0; j < k; j++) csv += ',y' + j; csv += '\n';
      for (let i = 0; i < n; i++) { csv += (i + 1); for (let j = 0; j < k; j++) csv += ',' + Number(t.data[i * k + j]); csv += '\n'; }
      fs.writeFileSync(job.out, csv);
    } catch (e) { console.log('ORT FAILED', job.model, String(e).slice(0, 300)); }
  }
})();
