// What the reader of an object's tables promises: it finds the slots, and damaged tables are told and never followed.
// Meant to run under the address sanitizer: every image is an allocation of just its size.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "elf_image.hpp"
#include "icegil/loaded_object.hpp"

namespace {

using elf_image::Image;
using icegil::DynamicSection;
using icegil::SlotKind;

/// The places in Image::slots that are found for a name, or {-1} if the image is found damaged.
std::vector<int> places(const Image& image, const char* name = "answer") {
    const auto copy = std::make_unique<Image>(image);
    const auto object = elf_image::loaded(copy.get());
    DynamicSection dynamic(object);
    std::vector<int> found;
    for (const auto& slot : dynamic.slots(name)) {
        found.push_back(static_cast<int>((slot.address - object.base - image.offset_of(image.slots)) / 8));
    }
    return dynamic.damaged() ? std::vector<int>{-1} : found;
}

const std::vector<int> kDamaged{-1};

void every_table_and_every_kind_of_slot_is_found() {
    CHECK(places(Image{}) == (std::vector<int>{0, 1, 2, 3}));
    CHECK(places(Image{}, "other") == (std::vector<int>{5, 6, 7}));
    const Image image;
    const auto object = elf_image::loaded(&image);
    const auto slots = DynamicSection(object).slots("answer");
    CHECK(slots[0].kind == SlotKind::jump_slot);
    CHECK(slots[1].kind == SlotKind::glob_dat);
    CHECK(slots[2].kind == SlotKind::pointer);
}

void a_name_is_matched_as_a_whole() {
    for (const char* name : {"answe", "answers", "nswer", "unheard_of", "libother.so"})
        CHECK(places(Image{}, name).empty());
}

void a_pointer_past_the_function_is_left_alone() {
    Image image;
    image.rela[2].r_addend = 8;
    CHECK(places(image) == (std::vector<int>{0, 1, 3}));
    image.plt[0].r_addend = 0x1020;  // as ld -z mark-plt does it
    CHECK(places(image) == (std::vector<int>{0, 1, 3}));
}

void a_pointer_whose_addend_is_lost_is_left_alone() {
    Image image;
    image.rel[0].r_info = ELF64_R_INFO(1, elf_image::kPointer);
    CHECK(places(image) == (std::vector<int>{0, 1, 2}));
}

void a_slot_that_straddles_two_words_is_left_alone() {
    Image image;
    image.rela[2].r_offset += 4;
    CHECK(places(image) == (std::vector<int>{0, 1, 3}));
}

void a_slot_listed_twice_is_found_once() {
    Image image;
    image.value(DT_RELASZ) = sizeof(image.rela) + sizeof(image.plt);
    CHECK(places(image) == (std::vector<int>{0, 1, 2, 3}));
}

void a_function_defined_here_is_told_apart() {
    Image image;
    image.symbols[1].st_shndx = 7;
    const auto object = elf_image::loaded(&image);
    for (const auto& slot : DynamicSection(object).slots("answer")) CHECK(slot.defined_here);
    for (const auto& slot : DynamicSection(object).slots("other")) CHECK(!slot.defined_here);
}

void the_plt_may_use_either_kind_of_relocation() {
    Image image;
    image.value(DT_PLTREL) = DT_REL;
    image.value(DT_JMPREL) = image.offset_of(image.rel);
    image.value(DT_PLTRELSZ) = sizeof(image.rel);
    image.remove(DT_REL);
    image.remove(DT_RELSZ);
    CHECK(places(image) == (std::vector<int>{1, 2, 3}));
    image.remove(DT_RELENT);
    CHECK(places(image) == (std::vector<int>{1, 2, 3}));
}

void tables_may_be_absent() {
    Image image;
    for (const auto tag : {DT_REL, DT_RELSZ, DT_RELENT}) image.remove(tag);
    CHECK(places(image) == (std::vector<int>{0, 1, 2}));
    for (const auto tag : {DT_RELA, DT_RELASZ, DT_RELAENT}) image.remove(tag);
    CHECK(places(image) == (std::vector<int>{0}));
    for (const auto tag : {DT_JMPREL, DT_PLTRELSZ, DT_PLTREL}) image.remove(tag);
    CHECK(places(image).empty());
    for (const auto tag : {DT_SYMTAB, DT_STRTAB, DT_STRSZ}) image.remove(tag);
    CHECK(places(image).empty());
}

void pointers_may_be_offsets_or_addresses() {
    Image image;
    const auto object = elf_image::loaded(&image);
    for (const auto tag : {DT_STRTAB, DT_SYMTAB, DT_RELA, DT_JMPREL, DT_REL}) {
        image.value(tag) += object.base;
        DynamicSection dynamic(object);
        CHECK_EQ(dynamic.slots("answer").size(), 4U);
        CHECK(!dynamic.damaged());
    }
}

void names_of_needed_objects_are_read() {
    const Image image;
    const auto object = elf_image::loaded(&image);
    DynamicSection dynamic(object);
    CHECK(dynamic.strings(DT_NEEDED) == std::vector<std::string>{"libother.so"});
    CHECK(dynamic.strings(DT_SONAME) == std::vector<std::string>{"libimage.so"});
    CHECK(dynamic.strings(DT_RPATH).empty());
    CHECK(!dynamic.damaged());
}

void a_damaged_table_is_told() {
    const std::uint64_t far = std::uint64_t{1} << 40;
    const std::uint64_t top = ~std::uint64_t{0};
    const std::vector<std::function<void(Image&)>> damages{
        [&](Image& image) { image.value(DT_STRTAB) = far; },
        [&](Image& image) { image.value(DT_STRTAB) = sizeof(Image) - 1; },
        [&](Image& image) { image.value(DT_STRSZ) = far; },
        [&](Image& image) { image.value(DT_STRSZ) = top; },
        [&](Image& image) { image.value(DT_STRSZ) = 1; },
        [&](Image& image) { image.value(DT_STRSZ) = 7; },  // `answer` without its end
        [&](Image& image) { image.remove(DT_STRTAB); },
        [&](Image& image) { image.symbols[1].st_name = 0xffffffff; },
        [&](Image& image) { image.value(DT_SYMTAB) = far; },
        [&](Image& image) { image.value(DT_SYMTAB) = sizeof(Image) - sizeof(Elf64_Sym) + 1; },
        [&](Image& image) { image.remove(DT_SYMTAB); },
        [&](Image& image) { image.rela[1].r_info = ELF64_R_INFO(0xffffffff, elf_image::kGlobDat); },
        [&](Image& image) { image.plt[0].r_info = ELF64_R_INFO(1000, elf_image::kJumpSlot); },
        [&](Image& image) { image.value(DT_RELA) = far; },
        [&](Image& image) { image.value(DT_RELA) = 0; },
        [&](Image& image) { image.value(DT_RELASZ) = sizeof(Image); },
        [&](Image& image) { image.value(DT_RELASZ) = top; },
        [&](Image& image) { image.value(DT_RELASZ) = sizeof(Elf64_Rela) + 1; },
        [&](Image& image) { image.value(DT_RELAENT) = 8; },
        [&](Image& image) { image.value(DT_RELAENT) = top; },
        [&](Image& image) { image.remove(DT_RELA); },
        [&](Image& image) { image.value(DT_JMPREL) = sizeof(Image) - 8; },
        [&](Image& image) { image.value(DT_PLTRELSZ) = 8 * sizeof(Image); },
        [&](Image& image) { image.remove(DT_JMPREL); },
        [&](Image& image) { image.value(DT_REL) = top - 7; },
        [&](Image& image) { image.value(DT_RELSZ) = top / 16 * 16; },
        [&](Image& image) { image.value(DT_RELENT) = 24; },
        [&](Image& image) { image.rela[1].r_offset = sizeof(Image) - 4; },
        [&](Image& image) { image.plt[0].r_offset = far; },
        [&](Image& image) { image.plt[0].r_offset = top - 3; },
    };
    for (std::size_t i = 0; i < damages.size(); ++i) {
        Image image;
        damages[i](image);
        if (places(image) != kDamaged) check::fail(__FILE__, __LINE__, "damage " + std::to_string(i) + " went unseen");
    }
}

void a_damaged_name_is_told() {
    for (const std::uint64_t offset : {sizeof(Image::strings), ~std::size_t{0}, std::size_t{1} << 40}) {
        Image image;
        image.value(DT_NEEDED) = offset;
        const auto object = elf_image::loaded(&image);
        DynamicSection dynamic(object);
        (void)dynamic.strings(DT_NEEDED);
        CHECK(dynamic.damaged());
        CHECK(icegil::needed_objects(object).empty());
    }
    Image image;
    std::fill(image.strings.begin() + 26, image.strings.end(), 'x');
    const auto object = elf_image::loaded(&image);
    DynamicSection dynamic(object);
    (void)dynamic.strings(DT_SONAME);
    CHECK(dynamic.damaged());
}

void a_dynamic_section_outside_the_segments_is_told() {
    const Image image;
    auto object = elf_image::loaded(&image);
    object.dynamic = {object.base + sizeof(Image), object.base + 2 * sizeof(Image)};
    CHECK(DynamicSection(object).damaged());
    object.dynamic = {0, sizeof(Elf64_Dyn)};
    CHECK(DynamicSection(object).damaged());
    object.dynamic = {};
    CHECK(!DynamicSection(object).damaged());
    CHECK(DynamicSection(object).slots("answer").empty());
}

void a_dynamic_section_without_an_end_is_read_to_its_end() {
    Image image;
    for (auto& entry : image.dynamic) {
        if (entry.d_tag == DT_NULL) entry.d_tag = DT_DEBUG;
    }
    CHECK(places(image) == (std::vector<int>{0, 1, 2, 3}));
}

void entries_after_the_end_do_not_count() {
    Image image;
    image.dynamic.back() = {DT_NEEDED, {14}};
    const auto object = elf_image::loaded(&image);
    CHECK_EQ(DynamicSection(object).strings(DT_NEEDED).size(), 1U);
}

void no_truncation_is_read_past() {
    const Image image;
    for (std::size_t size = 0; size < sizeof(Image); ++size) {
        const auto bytes = std::make_unique<unsigned char[]>(size);
        std::memcpy(bytes.get(), &image, size);
        const auto object = elf_image::loaded(bytes.get(), size);
        DynamicSection dynamic(object);
        (void)dynamic.slots("answer");
        (void)dynamic.strings(DT_NEEDED);
        // The last slot belongs to another name: without it everything asked for is still there.
        if (size < sizeof(Image) - sizeof(std::uint64_t) * 4) CHECK(dynamic.damaged());
    }
}

void no_damage_by_chance_is_followed() {
    std::mt19937_64 random(20240229);
    for (int round = 0; round < 50000; ++round) {
        const auto image = std::make_unique<Image>();
        auto* bytes = reinterpret_cast<unsigned char*>(image.get());
        for (auto changes = 1 + random() % 4; changes > 0; --changes) {
            const std::size_t at = random() % (sizeof(Image) - sizeof(std::uint64_t));
            const std::uint64_t value = random() >> (random() % 64);
            std::memcpy(bytes + at, &value, 1U << (random() % 4));
        }
        const auto object = elf_image::loaded(image.get());
        DynamicSection dynamic(object);
        for (const auto& slot : dynamic.slots("answer")) {
            if (!dynamic.damaged()) CHECK(object.holds(slot.address, sizeof(void*)));
        }
        (void)dynamic.strings(DT_NEEDED);
    }
}

}  // namespace

int main() {
#define PROMISE(name) (name(), std::puts("ok " #name))
    PROMISE(every_table_and_every_kind_of_slot_is_found);
    PROMISE(a_name_is_matched_as_a_whole);
    PROMISE(a_pointer_past_the_function_is_left_alone);
    PROMISE(a_pointer_whose_addend_is_lost_is_left_alone);
    PROMISE(a_slot_that_straddles_two_words_is_left_alone);
    PROMISE(a_slot_listed_twice_is_found_once);
    PROMISE(a_function_defined_here_is_told_apart);
    PROMISE(the_plt_may_use_either_kind_of_relocation);
    PROMISE(tables_may_be_absent);
    PROMISE(pointers_may_be_offsets_or_addresses);
    PROMISE(names_of_needed_objects_are_read);
    PROMISE(a_damaged_table_is_told);
    PROMISE(a_damaged_name_is_told);
    PROMISE(a_dynamic_section_outside_the_segments_is_told);
    PROMISE(a_dynamic_section_without_an_end_is_read_to_its_end);
    PROMISE(entries_after_the_end_do_not_count);
    PROMISE(no_truncation_is_read_past);
    PROMISE(no_damage_by_chance_is_followed);
#undef PROMISE
    return 0;
}
