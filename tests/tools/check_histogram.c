/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/support.h"
#include "tools/common/histogram.h"

static const uint64_t seed = 0x243f6a8885a308d3;

static struct histogram histogram;

static void start_empty(void)
{
	histogram_init(&histogram);
}

/* Round trips are of every magnitude, so these are too. */
static uint64_t get_random_value(uint64_t *state)
{
	unsigned int shift = (unsigned int)(support_draw(state) % 64);

	return support_draw(state) >> shift;
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static void assert_near(uint64_t found, uint64_t exact)
{
	uint64_t error = found > exact ? found - exact : exact - found;

	ck_assert_msg(error <= exact / 100,
		"%ju is more than 1 %% away from %ju", (uintmax_t)found,
		(uintmax_t)exact);
}

static void add_range(uint64_t first, uint64_t last)
{
	for (uint64_t value = first; value <= last; value++)
		histogram_add(&histogram, value);
}

START_TEST(an_empty_histogram_answers_zero_to_everything)
{
	static const double quantiles[] = { -1, 0, 0.5, 1, 2 };

	ck_assert_uint_eq(histogram_get_count(&histogram), 0);
	ck_assert_uint_eq(histogram_get_min(&histogram), 0);
	ck_assert_uint_eq(histogram_get_max(&histogram), 0);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++)
		ck_assert_uint_eq(histogram_get_quantile(&histogram,
					  quantiles[i]),
			0);
}
END_TEST

START_TEST(every_value_counts_once)
{
	add_range(1, 1000);
	histogram_add(&histogram, 7);
	ck_assert_uint_eq(histogram_get_count(&histogram), 1001);
}
END_TEST

START_TEST(minimum_and_maximum_are_exact)
{
	histogram_add(&histogram, 123456789);
	histogram_add(&histogram, 1000000007);
	histogram_add(&histogram, 555555555);
	ck_assert_uint_eq(histogram_get_min(&histogram), 123456789);
	ck_assert_uint_eq(histogram_get_max(&histogram), 1000000007);
}
END_TEST

START_TEST(one_value_is_every_quantile_exactly)
{
	histogram_add(&histogram, 987654321);
	for (int percent = 0; percent <= 100; percent++)
		ck_assert_uint_eq(histogram_get_quantile(&histogram,
					  percent / 100.0),
			987654321);
}
END_TEST

START_TEST(zero_is_a_value)
{
	histogram_add(&histogram, 0);
	ck_assert_uint_eq(histogram_get_count(&histogram), 1);
	ck_assert_uint_eq(histogram_get_quantile(&histogram, 0.5), 0);
}
END_TEST

START_TEST(small_values_have_exact_quantiles)
{
	add_range(1, 100);
	for (unsigned int percent = 1; percent <= 100; percent++)
		ck_assert_uint_eq(histogram_get_quantile(&histogram,
					  percent / 100.0),
			percent);
}
END_TEST

START_TEST(a_rank_between_two_values_is_the_upper_one)
{
	add_range(1, 4);
	ck_assert_uint_eq(histogram_get_quantile(&histogram, 0.25), 1);
	ck_assert_uint_eq(histogram_get_quantile(&histogram, 0.26), 2);
	ck_assert_uint_eq(histogram_get_quantile(&histogram, 0.5), 2);
	ck_assert_uint_eq(histogram_get_quantile(&histogram, 0.51), 3);
}
END_TEST

START_TEST(the_ends_of_the_scale_are_minimum_and_maximum)
{
	add_range(1000001, 1000999);
	ck_assert_uint_eq(histogram_get_quantile(&histogram, 0), 1000001);
	ck_assert_uint_eq(histogram_get_quantile(&histogram, -3), 1000001);
	ck_assert_uint_eq(histogram_get_quantile(&histogram, 1), 1000999);
	ck_assert_uint_eq(histogram_get_quantile(&histogram, 3), 1000999);
}
END_TEST

START_TEST(not_a_number_is_answered_with_the_minimum)
{
	add_range(5, 9);
	ck_assert_uint_eq(histogram_get_quantile(&histogram, (double)NAN), 5);
}
END_TEST

START_TEST(no_quantile_lies_outside_minimum_and_maximum)
{
	/* Both share a bucket, whose middle lies above them. */
	histogram_add(&histogram, 1 << 20);
	histogram_add(&histogram, (1 << 20) + 1);
	ck_assert_uint_le(histogram_get_quantile(&histogram, 0.5),
		(1 << 20) + 1);
	ck_assert_uint_ge(histogram_get_quantile(&histogram, 0.5), 1 << 20);
}
END_TEST

START_TEST(the_largest_value_of_all_fits)
{
	histogram_add(&histogram, UINT64_MAX);
	histogram_add(&histogram, UINT64_MAX - 1);
	histogram_add(&histogram, UINT64_C(1) << 63);
	ck_assert_uint_eq(histogram_get_max(&histogram), UINT64_MAX);
	assert_near(histogram_get_quantile(&histogram, 0.1), UINT64_C(1) << 63);
	assert_near(histogram_get_quantile(&histogram, 0.5), UINT64_MAX - 1);
}
END_TEST

/* With two far larger values around, the middle one is not clamped. */
START_TEST(values_around_every_power_of_two_are_within_one_percent)
{
	for (unsigned int shift = 0; shift < 64; shift++) {
		for (uint64_t below = 0; below < 3; below++) {
			uint64_t value = (UINT64_C(1) << shift) + 1 - below;

			histogram_init(&histogram);
			histogram_add(&histogram, 0);
			histogram_add(&histogram, value);
			histogram_add(&histogram, UINT64_MAX);
			assert_near(histogram_get_quantile(&histogram, 0.5),
				value);
		}
	}
}
END_TEST

static void assert_quantiles_match(uint64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	for (size_t per_mille = 1; per_mille <= 1000; per_mille++) {
		size_t rank = (per_mille * count + 999) / 1000;
		double q = (double)per_mille / 1000;

		assert_near(histogram_get_quantile(&histogram, q),
			values[rank - 1]);
	}
}

START_TEST(quantiles_are_those_of_the_sorted_values_within_one_percent)
{
	static const size_t counts[] = { 1, 2, 3, 10, 99, 100, 1000, 20000 };
	static uint64_t values[20000];
	uint64_t state = seed;

	printf("seed %#jx\n", (uintmax_t)seed);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		histogram_init(&histogram);
		for (size_t j = 0; j < counts[i]; j++) {
			values[j] = get_random_value(&state);
			histogram_add(&histogram, values[j]);
		}
		assert_quantiles_match(values, counts[i]);
	}
}
END_TEST

START_TEST(quantiles_never_fall)
{
	uint64_t state = seed;
	uint64_t last = 0;

	for (int i = 0; i < 1000; i++)
		histogram_add(&histogram, get_random_value(&state));
	for (int step = 0; step <= 10000; step++) {
		uint64_t found =
			histogram_get_quantile(&histogram, step / 10000.0);

		ck_assert_uint_ge(found, last);
		last = found;
	}
}
END_TEST

START_TEST(merging_is_as_adding_all_to_one)
{
	static struct histogram halves[2];
	uint64_t state = seed;

	histogram_init(&halves[0]);
	histogram_init(&halves[1]);
	for (int i = 0; i < 5000; i++) {
		uint64_t value = get_random_value(&state);

		histogram_add(&histogram, value);
		histogram_add(&halves[i % 2], value);
	}
	histogram_merge(&halves[0], &halves[1]);
	ck_assert_mem_eq(&halves[0], &histogram, sizeof(histogram));
}
END_TEST

START_TEST(merging_an_empty_histogram_changes_nothing)
{
	static struct histogram empty, before;

	histogram_init(&empty);
	add_range(10, 20);
	before = histogram;
	histogram_merge(&histogram, &empty);
	ck_assert_mem_eq(&histogram, &before, sizeof(before));
	histogram_merge(&empty, &histogram);
	ck_assert_mem_eq(&empty, &before, sizeof(before));
}
END_TEST

START_TEST(a_histogram_is_small)
{
	ck_assert_uint_le(sizeof(struct histogram), 32 * 1024);
}
END_TEST

int main(void)
{
	TCase *tcase = make_tcase_with("histogram", start_empty, NULL);

	tcase_add_test(tcase, an_empty_histogram_answers_zero_to_everything);
	tcase_add_test(tcase, every_value_counts_once);
	tcase_add_test(tcase, minimum_and_maximum_are_exact);
	tcase_add_test(tcase, one_value_is_every_quantile_exactly);
	tcase_add_test(tcase, zero_is_a_value);
	tcase_add_test(tcase, small_values_have_exact_quantiles);
	tcase_add_test(tcase, a_rank_between_two_values_is_the_upper_one);
	tcase_add_test(tcase, the_ends_of_the_scale_are_minimum_and_maximum);
	tcase_add_test(tcase, not_a_number_is_answered_with_the_minimum);
	tcase_add_test(tcase, no_quantile_lies_outside_minimum_and_maximum);
	tcase_add_test(tcase, the_largest_value_of_all_fits);
	tcase_add_test(tcase,
		values_around_every_power_of_two_are_within_one_percent);
	tcase_add_test(tcase,
		quantiles_are_those_of_the_sorted_values_within_one_percent);
	tcase_add_test(tcase, quantiles_never_fall);
	tcase_add_test(tcase, merging_is_as_adding_all_to_one);
	tcase_add_test(tcase, merging_an_empty_histogram_changes_nothing);
	tcase_add_test(tcase, a_histogram_is_small);
	return support_run_cases("histogram", tcase);
}
