--
-- Draws doc/saliency.svg from the demo's database.  In make psql:
--		\pset format unaligned
--		\t
--		\o doc/saliency.svg
--		\i demo/saliency.sql
-- Six digits, and below each what four methods say of its pixels: red speaks
-- for the digit, blue against it; each picture has its own scale.
--
WITH explained AS (
	SELECT id, output, m.line, m.method, m.phi
	FROM (SELECT id, output, pixels FROM digits,
	             LATERAL (SELECT * FROM explain.predictions('digits', pixels) ORDER BY response DESC LIMIT 1) p
	      WHERE id <= 6) d,
	     LATERAL (VALUES
	         (1, 'gradient x input', explain.gradient_array('digits', pixels, output => output, method => 'gradient_x_input')),
	         (2, 'integrated gradients', explain.integrated_gradient_array('digits', pixels, output => output, baseline => 'zero')),
	         (3, 'guided backprop', explain.gradient_array('digits', pixels, output => output, method => 'guided_backprop')),
	         (4, 'occlusion, 2 x 2', explain.occlusion_array('digits', pixels, output => output, baseline => 'zero',
	                                                         window_height => 2, window_width => 2))
	     ) AS m(line, method, phi)
),
cells AS (
	SELECT id, 0 AS line, (i - 1) % 8 AS x, (i - 1) / 8 AS y,
	       '#' || repeat(lpad(to_hex((255 - 255 * pixels[i])::int), 2, '0'), 3) AS colour
	FROM digits, generate_series(1, 64) AS i WHERE id <= 6
	UNION ALL
	SELECT id, line, pixel_x, pixel_y,
	       CASE WHEN scaled >= 0 THEN '#ff' || repeat(lpad(to_hex((255 * (1 - scaled))::int), 2, '0'), 2)
	            ELSE '#' || repeat(lpad(to_hex((255 * (1 + scaled))::int), 2, '0'), 2) || 'ff' END
	FROM explained, explain.saliency_rows('digits', phi)
),
labels AS (
	SELECT format('<text x="%s" y="16" text-anchor="middle">"%s"</text>', 150 + 90 * id - 50, output) AS line
	FROM explained WHERE explained.line = 1
	UNION ALL
	SELECT format('<text x="142" y="%s" text-anchor="end">%s</text>', 24 + 90 * line + 44, method)
	FROM explained WHERE id = 1
	UNION ALL
	SELECT '<text x="142" y="68" text-anchor="end">image</text>'
)
SELECT '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 476" font-family="sans-serif" font-size="13">'
UNION ALL SELECT '<rect width="700" height="476" fill="#fff"/>'
UNION ALL SELECT * FROM labels
UNION ALL
SELECT format('<path fill="%s" d="%s"/>', colour,
              string_agg(format('M%s %sh10v10h-10z', 150 + 90 * (id - 1) + 10 * x, 24 + 90 * line + 10 * y), '' ORDER BY id, line, y, x))
FROM cells WHERE colour <> '#ffffff' GROUP BY colour
UNION ALL
SELECT format('<rect x="%s" y="%s" width="80" height="80" fill="none" stroke="#ccc"/>', 150 + 90 * (id - 1), 24 + 90 * line)
FROM generate_series(1, 6) AS id, generate_series(0, 4) AS line
UNION ALL SELECT '</svg>';
