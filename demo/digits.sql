--
-- Images: a convolutional network, exported from PyTorch to ONNX, reads
-- handwritten digits of 8 x 8 pixels; which pixels made it say what it says?
-- Part of make demo; demo/saliency.sql draws the picture in doc/.
--
CREATE TABLE digits (id int PRIMARY KEY, pixels float8[]);
COMMENT ON TABLE digits IS 'Handwritten digits, 8 x 8 pixels row by row, 0 (paper) to 1 (ink)';
\copy digits FROM 'demo/digits.csv' CSV HEADER

\set file `base64 -w 0 demo/digits_cnn.onnx`
SELECT explain.register_model('digits',
           explain.with_link(explain.onnx_model(decode(:'file', 'base64'), channels => ARRAY['ink']), 'softmax'),
           'CNN of two convolutions: the digit in an image') \g /dev/null

\echo '== Images: what does the network see in them? =='
SELECT id, output AS digit, round(response::numeric, 3) AS probability
FROM digits, LATERAL (SELECT * FROM explain.predictions('digits', pixels) ORDER BY response DESC LIMIT 1) p
WHERE id <= 5 ORDER BY id;

-- A table of explained images: every pixel's share in the score of the digit
-- that was recognised, against an empty sheet.
CREATE TABLE digits_explained AS
	SELECT id, output, explain.integrated_gradient_array('digits', pixels, output => output, baseline => 'zero') AS phi
	FROM digits, LATERAL (SELECT * FROM explain.predictions('digits', pixels) ORDER BY response DESC LIMIT 1) p;

-- A view for a BI tool: one row for each pixel, to be drawn as a heat map.
CREATE VIEW digit_saliency AS
	SELECT id, output AS digit, s.*
	FROM digits_explained, explain.saliency_rows('digits', phi) s;

\echo '== Image 2, pixel by pixel: + speaks for the digit, - against it, small marks weakly =='
SELECT string_agg(CASE WHEN pixels[1 + 8 * pixel_y + pixel_x] > 0.5 THEN '#' WHEN pixels[1 + 8 * pixel_y + pixel_x] > 0 THEN '.' ELSE ' ' END,
                  ' ' ORDER BY pixel_x) AS image,
       string_agg(CASE WHEN scaled > 0.4 THEN '+' WHEN scaled > 0.1 THEN '.' WHEN scaled < -0.4 THEN '-'
                       WHEN scaled < -0.1 THEN '`' ELSE ' ' END, ' ' ORDER BY pixel_x) AS explanation
FROM digit_saliency JOIN digits USING (id) WHERE id = 2 GROUP BY pixel_y ORDER BY pixel_y;
