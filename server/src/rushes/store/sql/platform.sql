-- Which platform this is.

-- name: instance$
SELECT instance FROM platform;
